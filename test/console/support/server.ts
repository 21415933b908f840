import { PictureFile } from './pictures';

export const BASE = process.env.GALLERY_URL ?? 'http://127.0.0.1:8080';

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
    const pair = await json(
      await fetch(`${BASE}/api/auth/login`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ username: account.email, password: account.password }),
      }),
    );
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

let count = 0;

/** A tenant of its own with one administrator, so that tests do not see each other's images. */
export async function newTenant(): Promise<Client> {
  const admin = await Client.signIn(sysadmin);
  const name = `tenant-${process.pid}-${Date.now().toString(36)}-${++count}`;
  const tenant = await admin.call('POST', '/api/tenant', { title: name });
  const email = `admin@${name}.example`;
  return Client.signIn(await activeUser(admin, { email, authority: 'TENANT_ADMIN', tenantId: tenant.id }));
}

export async function activeUser(admin: Client, user: { email: string; [key: string]: unknown }): Promise<Account> {
  const created = await admin.call('POST', '/api/user?sendActivationMail=false', user);
  const link = await (await admin.fetch(`/api/user/${created.id.id}/activationLink`)).text();
  const activateToken = new URL(link).searchParams.get('activateToken');
  const password = 'Correct-Horse-7';
  await json(
    await fetch(`${BASE}/api/noauth/activate`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ activateToken, password }),
    }),
  );
  return { email: user.email, password };
}
