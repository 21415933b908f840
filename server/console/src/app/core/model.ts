// SPDX-License-Identifier: Apache-2.0
/** The parts of the server's API that the console uses. */

export type Authority = 'SYS_ADMIN' | 'TENANT_ADMIN' | 'CUSTOMER_USER';

export interface EntityRef {
  readonly entityType: string;
  readonly id: string;
}

export interface TokenPair {
  readonly token: string;
  readonly refreshToken: string;
}

export interface User {
  readonly id: EntityRef;
  readonly createdTime: number;
  readonly email: string;
  readonly authority: Authority;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly tenantId: EntityRef;
  readonly customerId: EntityRef | null;
  readonly additionalInfo: { readonly userActivated?: boolean; readonly userCredentialsEnabled?: boolean } | null;
}

/** What tenants and customers have in common. */
export interface Organisation {
  readonly id: EntityRef;
  readonly createdTime: number;
  readonly title: string;
  readonly email?: string | null;
  readonly phone?: string | null;
  /** Of a tenant only. */
  readonly tenantProfileId?: EntityRef | null;
}

/** The members of a configuration that the console shows. Servers and other clients may store more of them. */
export interface ProfileConfiguration {
  readonly type?: string;
  /** Bytes of one image; 0 for no limit. */
  readonly maxResourceSize?: number | null;
  /** Bytes of all images of a tenant; 0 for no limit. */
  readonly maxResourcesInBytes?: number | null;
  /** Requests of a whole tenant, such as `100:1,2000:60`; empty for no limit. */
  readonly tenantServerRestLimitsConfiguration?: string | null;
  /** Requests of each customer, in the same format. */
  readonly customerServerRestLimitsConfiguration?: string | null;
}

/** The limits of the tenants that belong to it. */
export interface TenantProfile {
  readonly id: EntityRef;
  readonly createdTime: number;
  readonly name: string;
  readonly description?: string | null;
  /** New tenants get this profile, unless another one is chosen. */
  readonly default?: boolean;
  readonly profileData?: { readonly configuration?: ProfileConfiguration } | null;
  /** Why limits in the configuration do not apply. */
  readonly ignoredLimits?: readonly string[];
}

/** A new profile has no id yet. */
export type TenantProfileInput = Omit<TenantProfile, 'id' | 'createdTime'> & Partial<TenantProfile>;

export interface NamedEntity {
  readonly id: EntityRef;
  readonly name: string;
}

/** What the images of a tenant occupy, in bytes. */
export interface ImagesUsage {
  readonly images: number;
  /** With previews. */
  readonly bytes: number;
  /** Earlier pictures of images, which are kept for a while. */
  readonly keptVersions: number;
  readonly keptBytes: number;
  /** What counts against the limit: without previews and kept versions. */
  readonly usedBytes: number;
  /** 0 for no limit. */
  readonly maxResourcesInBytes: number;
}

/** What deleting a tenant deletes with it, as counts. */
export interface TenantContents {
  readonly images: number;
  readonly users: number;
  readonly customers: number;
  readonly apiKeys: number;
}

export interface ApiKeyInfo {
  readonly id: EntityRef;
  readonly createdTime: number;
  readonly description: string;
  readonly enabled: boolean;
  /** Milliseconds; 0 if the key does not expire. */
  readonly expirationTime: number | null;
  readonly expired: boolean;
  /** Milliseconds, at most a minute late; 0 if the key was never used. */
  readonly lastUsedTime?: number;
}

export interface ApiKey extends ApiKeyInfo {
  readonly value: string;
}

export interface ImageDescriptor {
  readonly mediaType: string;
  readonly width: number;
  readonly height: number;
  readonly size: number;
  readonly etag: string;
}

export interface ImageInfo {
  readonly id: EntityRef;
  readonly createdTime: number;
  readonly tenantId: EntityRef;
  readonly title: string;
  readonly resourceKey: string;
  readonly resourceSubType?: string;
  readonly public: boolean;
  readonly etag: string;
  readonly fileName: string;
  readonly descriptor: ImageDescriptor & { readonly previewDescriptor?: ImageDescriptor };
  readonly link: string;
  readonly publicLink: string | null;
  readonly tags?: readonly string[];
}

/** What an archive has of each image: the picture, or all that an import takes. */
export type ArchiveLayout = 'PICTURES' | 'EXPORT';

/** What identifies an image and names it to its user. */
export type ImageRef = Pick<ImageInfo, 'id' | 'tenantId' | 'title' | 'resourceKey'>;

export interface ImageExport {
  readonly title: string;
  readonly fileName?: string;
  readonly data: string;
}

export interface DeleteResult {
  readonly success: boolean;
  readonly references: Record<string, readonly unknown[]> | null;
}

export interface PageData<T> {
  readonly data: readonly T[];
  readonly totalPages: number;
  readonly totalElements: number;
  readonly hasNext: boolean;
}

export interface PageRequest {
  readonly page: number;
  readonly pageSize: number;
  readonly textSearch?: string;
  readonly sortProperty?: string;
  readonly sortOrder?: 'ASC' | 'DESC';
}

export type MirrorState = 'none' | 'copying' | 'following' | 'switching' | 'stopped' | 'failed';

export interface StoreAddress {
  readonly engine: string;
  readonly path: string;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** The mirror of the server, a second store that follows the first. Without one, little but `active` is known. */
export interface Mirror {
  readonly state: MirrorState;
  /** The store of the server. */
  readonly active: StoreAddress;
  /** Empty if there is none. */
  readonly problem: string;
  /** Why a switch that has ended still keeps other servers away from a store; empty if it does not. */
  readonly claimProblem?: string;
  readonly mirror?: StoreAddress;
  /** Each start of a mirror creates another one. */
  readonly run?: string;
  /** It ends by itself as soon as it is complete. */
  readonly backup?: boolean;
  readonly images?: Progress;
  readonly bytes?: Progress;
  readonly imagesCopied?: number;
  readonly bytesCopied?: number;
  readonly changesApplied?: number;
  readonly revision?: number;
  /** The mirror contains what was written before this time, in milliseconds; 0: never. */
  readonly currentTime?: number;
  readonly lagRevisions?: number;
  readonly lagSeconds?: number;
  /** Of a mirror that has failed: its store is opened again every few seconds. */
  readonly retrying?: boolean;
  /** A stop was requested and has not ended. */
  readonly stopping?: boolean;
  readonly verifying?: boolean;
  /** The mirror can become the store of the server now. */
  readonly canSwitch?: boolean;
  /** The last switch since the start of the server. */
  readonly lastSwitch?: StoreSwitch;
  /** When the last backup became complete, in milliseconds; 0: never. */
  readonly backupTime?: number;
  /** Items that cannot be read from the store; at most 100. */
  readonly damaged?: readonly string[];
  readonly verified?: MirrorVerification;
  readonly completed?: MirrorCompletion;
}

export interface StoreSwitch {
  readonly time: number;
  /** The store of the server before. */
  readonly from: StoreAddress;
  /** How long writes waited at most. */
  readonly heldMilliseconds: number;
}

export interface MirrorVerification {
  readonly time: number;
  readonly images: number;
  /** Pictures and previews that were read from both stores. */
  readonly bodies: number;
  readonly rounds: number;
  readonly same: boolean;
  /** Differences that were found and repaired; at most 100. */
  readonly repaired: readonly string[];
}

/** What a mirror contains that has ended complete. */
export interface MirrorCompletion {
  readonly revision: number;
  readonly images: number;
  readonly bytes: number;
  readonly keptVersions: number;
  /** Items that are missing because the store could not return them. */
  readonly damaged: number;
  readonly time: number;
}

export interface MirrorStart {
  readonly engine: string;
  readonly path: string;
  readonly options: Readonly<Record<string, string>>;
  readonly anySource: boolean;
  readonly backup: boolean;
  readonly verify: boolean;
  readonly skipDamaged: boolean;
}

/** The tenant that owns the images shared by all tenants. */
export const SYSTEM_TENANT = '13814000-1dd2-11b2-8080-808080808080';

export const AUTHORITY_NAMES: Record<Authority, string> = {
  SYS_ADMIN: 'System administrator',
  TENANT_ADMIN: 'Tenant administrator',
  CUSTOMER_USER: 'Customer user',
};
