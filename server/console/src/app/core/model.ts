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

/** The tenant that owns the images shared by all tenants. */
export const SYSTEM_TENANT = '13814000-1dd2-11b2-8080-808080808080';

export const AUTHORITY_NAMES: Record<Authority, string> = {
  SYS_ADMIN: 'System administrator',
  TENANT_ADMIN: 'Tenant administrator',
  CUSTOMER_USER: 'Customer user',
};
