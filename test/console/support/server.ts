// SPDX-License-Identifier: Apache-2.0
import { PictureFile } from './pictures';

export const BASE = process.env.GALLERY_URL ?? 'http://127.0.0.1:8080';

interface TokenPair {
  readonly token: string;
  readonly refreshToken: string;
}

export interface Account {
  readonly email: string;
  readonly password: string;
}

export const sysadmin: Account = {
  email: process.env.GALLERY_SYSADMIN_EMAIL ?? 'sysadmin@gallery.local',
  password: process.env.GALLERY_SYSADMIN_PASSWORD ?? '',
};
export const customer: Account = {
  email: 'customer@gallery.local',
  password: process.env.GALLERY_DEMO_PASSWORD ?? '',
};

export interface Image {
  readonly id: { readonly id: string };
  readonly title: string;
  readonly resourceKey: string;
  readonly etag: string;
  readonly link: string;
  readonly publicLink: string | null;
  readonly descriptor: { readonly width: number; readonly height: number; readonly size: number };
}

/** The server's API as one signed-in user, to prepare what a test looks at and to see what it did. */
export class Client {
  private constructor(
    readonly account: Account,
    readonly token: string,
    readonly refreshToken: string,
  ) {}

  static async signIn(account: Account): Promise<Client> {
    return Client.of(account, await post('/api/auth/login', { username: account.email, password: account.password }));
  }

  static of(account: Account, pair: TokenPair): Client {
    return new Client(account, pair.token, pair.refreshToken);
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(BASE + path, {
      ...init,
      headers: { 'X-Authorization': `Bearer ${this.token}`, ...(init.headers as Record<string, string>) },
    });
  }

  async call(method: string, path: string, body?: unknown): Promise<any> {
    return json(
      await this.fetch(path, {
        method,
        headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
      }),
    );
  }

  async upload(file: PictureFile, title?: string): Promise<Image> {
    const form = new FormData();
    if (title !== undefined) {
      form.append('title', title);
    }
    form.append('file', new Blob([new Uint8Array(file.buffer)], { type: file.mimeType }), file.name);
    return json(await this.fetch('/api/image', { method: 'POST', body: form }));
  }

  async images(search = ''): Promise<Image[]> {
    const page = await this.call('GET', `/api/images?pageSize=1000&page=0&textSearch=${encodeURIComponent(search)}`);
    return page.data;
  }
}

async function json(response: Response): Promise<any> {
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${response.url}: ${response.status} ${text}`);
  }
  return text ? JSON.parse(text) : null;
}

async function post(path: string, body: unknown): Promise<any> {
  return json(
    await fetch(BASE + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
  );
}

let administrator: Promise<Client> | null = null;
let count = 0;

/** The system administrator, signed in once per worker. Tests that end this session sign in by themselves. */
export function systemAdministrator(): Promise<Client> {
  return (administrator ??= Client.signIn(sysadmin));
}

/** A tenant of its own with one administrator, so that tests do not see each other's images. */
export async function newTenant(): Promise<Client> {
  const admin = await systemAdministrator();
  const name = `tenant-${process.pid}-${Date.now().toString(36)}-${++count}`;
  const tenant = await admin.call('POST', '/api/tenant', { title: name });
  const email = `admin@${name}.example`;
  return activeUser(admin, { email, authority: 'TENANT_ADMIN', tenantId: tenant.id });
}

/** A new user with a password, signed in by the activation. */
export async function activeUser(admin: Client, user: { email: string; [key: string]: unknown }): Promise<Client> {
  const created = await admin.call('POST', '/api/user?sendActivationMail=false', user);
  const link = await (await admin.fetch(`/api/user/${created.id.id}/activationLink`)).text();
  const activateToken = new URL(link).searchParams.get('activateToken');
  const password = 'Correct-Horse-7';
  return Client.of({ email: user.email, password }, await post('/api/noauth/activate', { activateToken, password }));
}

export interface Usage {
  readonly images: number;
  readonly usedBytes: number;
  readonly maxResourcesInBytes: number;
}

/** A profile with these limits, named like the tenants of tests. `name` begins its name. */
export async function newProfile(configuration: object = {}, name = 'Profile'): Promise<any> {
  const unique = `${name} ${process.pid}-${Date.now().toString(36)}-${++count}`;
  return (await systemAdministrator()).call('POST', '/api/tenantProfile', { name: unique, profileData: { configuration } });
}

/** The tenant of an administrator, as the system administrator sees it. */
export async function tenantOf(client: Client): Promise<any> {
  const { tenantId } = await client.call('GET', '/api/auth/user');
  return (await systemAdministrator()).call('GET', `/api/tenant/${tenantId.id}`);
}

/** Gives the tenant this profile. */
export async function setProfile(client: Client, profile: { readonly id: unknown }): Promise<any> {
  return (await systemAdministrator()).call('POST', '/api/tenant', { ...(await tenantOf(client)), tenantProfileId: profile.id });
}

/** Replaces the limits of a profile. */
export async function setLimits(profile: object, configuration: object): Promise<void> {
  await (await systemAdministrator()).call('POST', '/api/tenantProfile', { ...profile, profileData: { configuration } });
}
