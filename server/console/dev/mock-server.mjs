// A small stand-in for the gallery server while the console is being written: the API in memory,
// with many generated pictures, and the built console at `/`.
//   node dev/mock-server.mjs [folder of the built console]
// PORT (8090), IMAGES (100000: how many pictures the tenant begins with), LATENCY (ms), TOKEN_SECONDS.
import { createHash, randomUUID, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { brotliCompressSync } from 'node:zlib';
import { extname, join, normalize } from 'node:path';

const root = process.argv[2] ?? 'dist/console/browser';
const port = Number(process.env.PORT ?? 8090);
const count = Number(process.env.IMAGES ?? 100000);
const latency = Number(process.env.LATENCY ?? 0);
const tokenSeconds = Number(process.env.TOKEN_SECONDS ?? 9000);
const maxSize = 20 * 1024 * 1024;

const SYSTEM = '13814000-1dd2-11b2-8080-808080808080';
const TENANT = '7a1f6c00-0000-11f0-8000-000000000001';
const CUSTOMER = '7a1f6c00-0000-11f0-8000-000000000002';
const now = Date.now();
const ref = (entityType, id) => ({ entityType, id });

class Failure extends Error {
  constructor(status, errorCode, message) {
    super(message);
    Object.assign(this, { status, errorCode });
  }
}

// --- accounts
const tenants = [{ id: ref('TENANT', TENANT), createdTime: now, title: 'Demo tenant', name: 'Demo tenant', email: null, phone: null, version: 1 }];
const customers = [{ id: ref('CUSTOMER', CUSTOMER), createdTime: now, tenantId: ref('TENANT', TENANT), title: 'Demo customer', name: 'Demo customer', version: 1 }];
const users = [];
function addUser(email, authority, tenant, customer, password, names = {}) {
  const user = {
    id: ref('USER', randomUUID()), createdTime: Date.now(), email, name: email, authority,
    firstName: names.firstName ?? null, lastName: names.lastName ?? null, phone: null, version: 1,
    tenantId: ref('TENANT', tenant), customerId: ref('CUSTOMER', customer ?? SYSTEM),
    additionalInfo: { userCredentialsEnabled: password !== undefined },
  };
  users.push({ user, password, activateToken: password === undefined ? randomBytes(15).toString('hex') : null });
  return users.at(-1);
}
addUser('sysadmin@gallery.local', 'SYS_ADMIN', SYSTEM, null, 'sysadmin');
addUser('tenant@gallery.local', 'TENANT_ADMIN', TENANT, null, 'tenant');
addUser('customer@gallery.local', 'CUSTOMER_USER', TENANT, CUSTOMER, 'customer');

const sessions = new Map(); // token → {account, kind, session, expires}
const apiKeys = [];
const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
function issue(account, session = randomUUID()) {
  const pair = {};
  for (const [name, kind, seconds] of [['token', 'access', tokenSeconds], ['refreshToken', 'refresh', 604800]]) {
    const iat = Math.floor(Date.now() / 1000);
    const claims = { sub: account.user.email, userId: account.user.id.id, scopes: [kind === 'access' ? account.user.authority : 'REFRESH_TOKEN'], sessionId: session, iss: 'thingsboard.io', iat, exp: iat + seconds };
    const token = `${b64({ alg: 'HS512' })}.${b64(claims)}.${randomBytes(16).toString('base64url')}`;
    sessions.set(token, { account, kind, session, expires: Date.now() + seconds * 1000 });
    pair[name] = token;
  }
  return pair;
}

// --- images
const hash = (text) => createHash('sha256').update(text).digest('hex');
const words = ['Pump', 'Harbour', 'Valve', 'Lighthouse', 'Meadow', 'Turbine', 'Bridge', 'Gauge', 'Atrium', 'Compass', 'Orchard', 'Relay', 'Canyon', 'Tank', 'Boiler', 'Glacier'];
const sorts = ['station', 'overview', 'detail', 'at dawn', 'plan', 'north side', 'schematic', 'cover'];
function picture(seed, width, height, label) {
  const h = (seed * 47) % 360;
  const kind = seed % 4;
  const body = [
    `<circle cx="${width * 0.68}" cy="${height * 0.34}" r="${height * 0.16}" fill="hsl(${h + 40} 80% 78%)"/><path d="M0 ${height}V${height * 0.7}L${width * 0.3} ${height * 0.45} ${width * 0.55} ${height * 0.72} ${width * 0.75} ${height * 0.55} ${width} ${height * 0.78}V${height}z" fill="hsl(${h} 35% 30%)"/>`,
    [0, 1, 2, 3, 4].map((i) => `<rect x="${width * (0.12 + i * 0.16)}" y="${height * (0.75 - ((seed * (i + 3)) % 7) * 0.08)}" width="${width * 0.1}" height="${height}" fill="hsl(${h + i * 12} 50% ${35 + i * 7}%)"/>`).join(''),
    [0, 1, 2, 3].map((i) => `<circle cx="${width / 2}" cy="${height / 2}" r="${Math.min(width, height) * (0.42 - i * 0.1)}" fill="hsl(${h + i * 25} 55% ${80 - i * 14}%)"/>`).join(''),
    `<path d="M0 ${height * 0.6}Q${width * 0.25} ${height * 0.4} ${width * 0.5} ${height * 0.6}T${width} ${height * 0.6}V${height}H0z" fill="hsl(${h + 20} 45% 45%)"/><path d="M0 ${height * 0.75}Q${width * 0.25} ${height * 0.6} ${width * 0.5} ${height * 0.75}T${width} ${height * 0.75}V${height}H0z" fill="hsl(${h + 10} 50% 33%)"/>`,
  ][kind];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="${width}" height="${height}" fill="hsl(${h} 45% ${kind === 2 ? 92 : 84}%)"/>${body}<title>${label}</title></svg>`;
}
const shapes = [[1600, 900], [1200, 1200], [800, 1200], [640, 480], [2400, 1000], [512, 512]];
let sequence = 0;
function record(tenant, key, title, bytes, mediaType, fileName, width, height, size = bytes?.length, createdTime = Date.now()) {
  const etag = hash(bytes ?? `${tenant}${key}`);
  return {
    seed: sequence++, bytes, id: ref('TB_RESOURCE', `${hash(key + sequence).slice(0, 8)}-0000-11f0-8000-000000000000`), createdTime,
    tenantId: ref('TENANT', tenant), title, resourceType: 'IMAGE', resourceSubType: 'IMAGE', resourceKey: key,
    public: true, publicResourceKey: hash(`public${sequence}`).slice(0, 32), etag, fileName, externalId: null,
    descriptor: { mediaType, width, height, size, etag, previewDescriptor: { mediaType, width: Math.min(250, width), height: Math.min(250, height), size: 2000, etag } },
  };
}
const view = (r) => {
  const { seed, bytes, ...rest } = r;
  const scope = r.tenantId.id === SYSTEM ? 'system' : 'tenant';
  return { ...rest, name: r.title, link: `/api/images/${scope}/${encodeURIComponent(r.resourceKey)}`, publicLink: r.public ? `/api/images/public/${r.publicResourceKey}` : null };
};
let images = [];
for (let i = 0; i < 6; i++) {
  images.push(record(SYSTEM, `system_${i}.svg`, `${words[i]} symbol`, undefined, 'image/svg+xml', `system_${i}.svg`, 512, 512, 3100 + i, now - 9e9));
}
for (let i = 0; i < count; i++) {
  const [w, h] = shapes[i % shapes.length];
  images.push(record(TENANT, `picture_${i}.svg`, `${words[(i * 7) % words.length]} ${sorts[(i * 3) % sorts.length]} ${i}`, undefined, 'image/svg+xml', `picture_${i}.svg`, w, h, 20000 + ((i * 7919) % 900000), now - i * 61000));
}
const bytesOf = (r) => r.bytes ?? Buffer.from(picture(r.seed, r.descriptor.width, r.descriptor.height, r.resourceKey));

function measure(bytes) {
  if (bytes.subarray(1, 4).toString() === 'PNG') return ['image/png', bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (bytes.subarray(0, 3).toString() === 'GIF') return ['image/gif', bytes.readUInt16LE(6), bytes.readUInt16LE(8)];
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return ['image/jpeg', 640, 480];
  if (bytes.includes('<svg')) {
    const attr = (n, d) => Number(new RegExp(`${n}="(\\d+)"`).exec(bytes.toString())?.[1] ?? d);
    return ['image/svg+xml', attr('width', 300), attr('height', 150)];
  }
  throw new Failure(400, 31, 'The file is not an image: it begins with plain text');
}
function freeKey(tenant, name) {
  const taken = (key) => images.some((i) => i.tenantId.id === tenant && i.resourceKey === key);
  let key = name;
  for (let n = 1; taken(key); n++) key = name.replace(/(\.[^.]*)?$/, `_(${n})$1`);
  return key;
}

// --- http
function page(rows, query, match = (row, text) => (row.title ?? row.email ?? row.description ?? '').toLowerCase().includes(text)) {
  const size = Number(query.get('pageSize'));
  const number = Number(query.get('page'));
  if (!(size >= 1) || !(number >= 0)) throw new Failure(400, 31, 'pageSize must be at least 1 and page at least 0');
  const text = (query.get('textSearch') ?? '').toLowerCase();
  let found = text ? rows.filter((row) => match(row, text)) : [...rows];
  const property = query.get('sortProperty');
  if (property) {
    const value = (row) => (property === 'size' ? row.descriptor.size : property === 'tenantId' ? row.tenantId.id : row[property] ?? '');
    const sign = query.get('sortOrder') === 'DESC' ? -1 : 1;
    found.sort((a, b) => (value(a) < value(b) ? -sign : value(a) > value(b) ? sign : 0));
  }
  const totalPages = Math.ceil(found.length / size);
  return { data: found.slice(number * size, (number + 1) * size), totalPages, totalElements: found.length, hasNext: number + 1 < totalPages };
}
function parts(body, type) {
  const boundary = /boundary=([^;]+)/.exec(type)?.[1];
  const out = {};
  const marker = Buffer.from(`--${boundary}`);
  let at = body.indexOf(marker);
  while (at >= 0) {
    const next = body.indexOf(marker, at + marker.length);
    if (next < 0) break;
    const part = body.subarray(at + marker.length + 2, next - 2);
    const split = part.indexOf('\r\n\r\n');
    const head = part.subarray(0, split).toString();
    out[/name="([^"]*)"/.exec(head)[1]] = { fileName: /filename="([^"]*)"/.exec(head)?.[1], bytes: part.subarray(split + 4) };
    at = next;
  }
  return out;
}

async function api(request, url, body) {
  const path = url.pathname;
  const key = `${request.method} ${path}`;
  const json = () => JSON.parse(body.toString() || '{}');
  if (key === 'POST /api/auth/login') {
    const { username, password } = json();
    const account = users.find((u) => u.user.email === username);
    if (!account || account.password === undefined || account.password !== password) throw new Failure(401, 10, 'Invalid username or password');
    if (account.user.additionalInfo.userCredentialsEnabled === false) throw new Failure(401, 10, 'User account is not active');
    return issue(account);
  }
  if (key === 'POST /api/auth/token') {
    const { refreshToken } = json();
    const known = sessions.get(refreshToken);
    if (known?.kind !== 'refresh') throw new Failure(401, 10, 'Invalid refresh token');
    sessions.delete(refreshToken);
    return issue(known.account, known.session);
  }
  if (key === 'POST /api/noauth/activate') {
    const { activateToken, password } = json();
    const account = users.find((u) => u.activateToken && u.activateToken === activateToken);
    if (!account) throw new Failure(404, 32, 'The activation link is not valid any more');
    Object.assign(account, { password, activateToken: null });
    account.user.additionalInfo.userCredentialsEnabled = true;
    return issue(account);
  }
  let match;
  if ((match = /^\/api\/images\/public\/(\w+)$/.exec(path))) {
    const found = images.find((i) => i.public && i.publicResourceKey === match[1]);
    if (!found) throw new Failure(404, 32, 'Image not found');
    return { raw: bytesOf(found), type: found.descriptor.mediaType };
  }
  const token = /^Bearer (.*)$/.exec(request.headers['x-authorization'] ?? '')?.[1];
  const session = sessions.get(token);
  if (session?.kind !== 'access') throw new Failure(401, 10, 'Authentication failed');
  if (session.expires < Date.now()) throw new Failure(401, 11, 'Token has expired');
  const { account } = session;
  const me = account.user;
  const mine = me.authority === 'SYS_ADMIN' ? SYSTEM : me.tenantId.id;
  const admin = () => { if (me.authority === 'CUSTOMER_USER') throw new Failure(403, 20, "You don't have permission to perform this operation!"); };

  if (key === 'GET /api/system/params') return { maxResourceSize: maxSize };
  if (key === 'GET /api/auth/user') return me;
  if (key === 'POST /api/auth/logout') {
    for (const [t, s] of sessions) if (s.account === account && (url.searchParams.get('everywhere') === 'true' || s.session === session.session)) sessions.delete(t);
    return {};
  }
  if (key === 'POST /api/auth/changePassword') {
    const { currentPassword, newPassword } = json();
    if (currentPassword !== account.password) throw new Failure(400, 31, "Current password doesn't match!");
    account.password = newPassword;
    for (const [t, s] of sessions) if (s.account === account) sessions.delete(t);
    return issue(account);
  }
  if (key === 'GET /api/images') {
    admin();
    const system = me.authority === 'SYS_ADMIN' || url.searchParams.get('includeSystemImages') === 'true';
    const rows = images.filter((i) => i.tenantId.id === mine || (system && i.tenantId.id === SYSTEM));
    const result = page(rows, url.searchParams);
    return { ...result, data: result.data.map(view) };
  }
  if (key === 'POST /api/image') {
    admin();
    const { file, title } = parts(body, request.headers['content-type']);
    const [type, w, h] = measure(file.bytes);
    const name = Buffer.from(file.fileName, 'latin1').toString();
    const created = record(mine, freeKey(mine, name), title?.bytes.toString() || name, Buffer.from(file.bytes), type, name, w, h);
    images.unshift(created);
    return view(created);
  }
  if (key === 'PUT /api/image/import') {
    admin();
    const data = json();
    const bytes = Buffer.from(data.data ?? '', 'base64');
    const [type, w, h] = measure(bytes);
    images = images.filter((i) => !(i.tenantId.id === mine && i.resourceKey === data.resourceKey));
    const created = record(mine, data.resourceKey, data.title, bytes, type, data.fileName, w, h);
    images.unshift(created);
    return view(created);
  }
  if ((match = /^\/api\/images\/(tenant|system)\/([^/]+)(?:\/(preview|info|export|public\/(true|false)))?$/.exec(path))) {
    const owner = match[1] === 'system' ? SYSTEM : mine;
    const name = decodeURIComponent(match[2]);
    const found = images.find((i) => i.tenantId.id === owner && i.resourceKey === name);
    if (!found) throw new Failure(404, 32, 'Image not found');
    const what = match[3] ?? '';
    if (request.method === 'GET') {
      if (what === 'info') return view(found);
      if (what === 'export') return { link: view(found).link, title: found.title, type: 'IMAGE', subType: 'IMAGE', resourceKey: name, fileName: found.fileName, publicResourceKey: found.publicResourceKey, public: found.public, mediaType: found.descriptor.mediaType, data: bytesOf(found).toString('base64') };
      return { raw: bytesOf(found), type: found.descriptor.mediaType };
    }
    if (owner !== mine) throw new Failure(403, 20, "You don't have permission to perform this operation!");
    if (request.method === 'DELETE') {
      if (found.title.includes('undeletable')) throw new Failure(500, 2, 'The image could not be deleted');
      images = images.filter((i) => i !== found);
      return { success: true, references: {} };
    }
    if (what === 'info') found.title = json().title;
    else if (what.startsWith('public')) found.public = match[4] === 'true';
    else {
      const { file } = parts(body, request.headers['content-type']);
      const [type, w, h] = measure(file.bytes);
      const fresh = record(owner, name, found.title, Buffer.from(file.bytes), type, Buffer.from(file.fileName, 'latin1').toString(), w, h);
      Object.assign(found, { bytes: fresh.bytes, descriptor: fresh.descriptor, etag: fresh.etag, fileName: fresh.fileName });
    }
    return view(found);
  }
  if ((match = /^\/api\/apiKeys\//.exec(path))) return page(apiKeys.filter((k) => k.owner === me.id.id).map(({ owner, ...k }) => k), url.searchParams);
  if (key === 'POST /api/apiKey') {
    const info = json();
    const created = { id: ref('API_KEY', randomUUID()), createdTime: Date.now(), tenantId: me.tenantId, userId: me.id, description: info.description, enabled: info.enabled ?? true, expirationTime: info.expirationTime ?? 0, expired: false, owner: me.id.id };
    apiKeys.push(created);
    const { owner, ...shown } = created;
    return { ...shown, value: `tb_${randomBytes(32).toString('base64url')}` };
  }
  if ((match = /^\/api\/apiKey\/([^/]+)(?:\/(description|enabled)(?:\/(true|false))?)?$/.exec(path))) {
    const at = apiKeys.findIndex((k) => k.id.id === match[1]);
    if (at < 0) throw new Failure(404, 32, 'API key not found');
    if (request.method === 'DELETE') { apiKeys.splice(at, 1); return {}; }
    if (match[2] === 'enabled') apiKeys[at].enabled = match[3] === 'true';
    else apiKeys[at].description = body.toString();
    return apiKeys[at];
  }
  // accounts
  const keep = (rows, entityType, tenantId) => {
    const sent = json();
    const known = sent.id && rows.find((r) => r.id.id === sent.id.id);
    if (known) return Object.assign(known, sent, { name: sent.title });
    if (rows.some((r) => r.title === sent.title)) throw new Failure(400, 31, `${entityType === 'TENANT' ? 'Tenant' : 'Customer'} with such title already exists!`);
    rows.push({ ...sent, id: ref(entityType, randomUUID()), createdTime: Date.now(), name: sent.title, version: 1, ...(tenantId ? { tenantId } : {}) });
    return rows.at(-1);
  };
  const remove = (rows, id) => { rows.splice(rows.findIndex((r) => (r.user ?? r).id.id === id), 1); return {}; };
  if (key === 'GET /api/tenants') return page(tenants, url.searchParams);
  if (key === 'POST /api/tenant') return keep(tenants, 'TENANT');
  if (key === 'GET /api/customers') return page(customers, url.searchParams);
  if (key === 'POST /api/customer') return keep(customers, 'CUSTOMER', me.tenantId);
  if (key === 'GET /api/users') return page(users.map((u) => u.user).filter((u) => me.authority === 'SYS_ADMIN' || u.tenantId.id === mine), url.searchParams);
  if ((match = /^\/api\/tenant\/([^/]+)\/users$/.exec(path))) return page(users.map((u) => u.user).filter((u) => u.tenantId.id === match[1]), url.searchParams);
  if ((match = /^\/api\/tenant\/([^/]+)$/.exec(path))) return request.method === 'DELETE' ? remove(tenants, match[1]) : tenants.find((t) => t.id.id === match[1]) ?? {};
  if ((match = /^\/api\/customer\/([^/]+)$/.exec(path))) return request.method === 'DELETE' ? remove(customers, match[1]) : customers.find((t) => t.id.id === match[1]) ?? {};
  if (key === 'POST /api/user') {
    const sent = json();
    const known = sent.id && users.find((u) => u.user.id.id === sent.id.id);
    if (known) return Object.assign(known.user, sent);
    if (users.some((u) => u.user.email === sent.email)) throw new Failure(400, 31, `User with email '${sent.email}'  already present in database!`);
    return addUser(sent.email, sent.authority, me.authority === 'SYS_ADMIN' ? sent.tenantId.id : mine, sent.customerId?.id, undefined, sent).user;
  }
  if ((match = /^\/api\/user\/([^/]+)(?:\/(activationLink|userCredentialsEnabled))?$/.exec(path))) {
    const found = users.find((u) => u.user.id.id === match[1]);
    if (!found) throw new Failure(404, 32, 'User not found');
    if (match[2] === 'activationLink') {
      if (!found.activateToken) throw new Failure(400, 31, 'User is already activated!');
      return { raw: Buffer.from(`http://${request.headers.host}/login/createPassword?activateToken=${found.activateToken}`), type: 'text/plain' };
    }
    if (match[2]) { found.user.additionalInfo.userCredentialsEnabled = url.searchParams.get('userCredentialsEnabled') === 'true'; return {}; }
    return request.method === 'DELETE' ? remove(users, match[1]) : found.user;
  }
  throw new Failure(404, 32, 'Not found');
}

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.txt': 'text/plain' };
async function file(url) {
  let path = normalize(url.pathname);
  if (!extname(path)) path = '/index.html';
  const bytes = await readFile(join(root, path));
  return { raw: bytes, type: types[extname(path)] ?? 'application/octet-stream' };
}

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const url = new URL(request.url, 'http://localhost');
  const own = url.pathname.startsWith('/api/');
  if (own && latency) await new Promise((resolve) => setTimeout(resolve, latency));
  try {
    const answer = own ? await api(request, url, Buffer.concat(chunks)) : await file(url);
    if (answer.raw) {
      const headers = { 'content-type': answer.type, 'x-content-type-options': 'nosniff' };
      let bytes = answer.raw;
      if (!own) {
        headers['content-security-policy'] = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";
        headers['cache-control'] = url.pathname === '/' || url.pathname.endsWith('.html') ? 'no-cache' : 'public, max-age=31536000, immutable';
        if (/br/.test(request.headers['accept-encoding'] ?? '')) {
          bytes = brotliCompressSync(bytes);
          headers['content-encoding'] = 'br';
        }
      } else headers['content-security-policy'] = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
      response.writeHead(200, headers).end(bytes);
    } else response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(answer));
  } catch (error) {
    const status = error.status ?? (error.code === 'ENOENT' ? 404 : 500);
    if (status === 500) console.error(error);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ status, message: error.message, errorCode: error.errorCode ?? 2, timestamp: Date.now() }));
  }
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`));
