// SPDX-License-Identifier: Apache-2.0
// The images in an archive as `gallery-admin images export` and the console write it: each picture with a JSON file
// of the same name and ".json" behind it. Also exports in which the JSON contains the picture.
import { sha256 } from './sha256';
import { ZipEntry, ZipError, readDirectory, readEntry } from './zip-file';

/** What the JSON beside a picture says; undefined where it says nothing. */
export interface PackedDescription {
  readonly resourceKey?: string;
  readonly title?: string;
  readonly fileName?: string;
  readonly subType?: string;
  readonly mediaType?: string;
  readonly etag?: string;
  readonly public?: boolean;
  readonly publicResourceKey?: string;
  readonly tags?: readonly string[];
  readonly createdTime?: number;
}

/** An image in an archive, which is read when it is sent. */
export interface PackedImage {
  readonly name: string;
  readonly size: number;
  /** The JSON contains the picture, so that its text is that of the import. */
  readonly isWhole: boolean;
  /**
   * What its JSON says, and the text of its import. Rejects with a ZipError whose message says why not, or when the
   * signal is aborted.
   */
  read(signal: AbortSignal): Promise<PackedContent>;
}

export interface PackedContent {
  readonly about: PackedDescription;
  readonly text: string;
}

export interface PackedImages {
  readonly images: readonly PackedImage[];
  /** Files that belong to no image. */
  readonly leftOut: number;
}

/** Each is a row of a list, with its state. */
const MAX_IMAGES = 20_000;
/** Of the JSON of an image, without the picture. */
export const MAX_DESCRIPTION = 64 * 1024;
const MAX_TEXT = 1024;
const TEXTS = ['resourceKey', 'title', 'fileName', 'subType', 'mediaType', 'etag', 'publicResourceKey'] as const;

/**
 * Rejects with a ZipError for an archive that cannot be imported as a whole, and when the signal is aborted.
 * `progress` is called with the part that is done, from 0 to 1.
 */
export async function imagesIn(archive: File, signal: AbortSignal, progress: (done: number) => void): Promise<PackedImages> {
  const files = new Map((await readDirectory(archive, signal)).filter(isOfUser).map((entry) => [entry.name, entry]));
  const images: PackedImage[] = [];
  const keys = new Keys();
  const unused = new Set(files.keys());
  let done = 0;
  for (const json of [...files.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    progress(done++ / files.size);
    if (!/.\.json$/i.test(fileName(json.name))) {
      continue;
    }
    const picture = files.get(json.name.slice(0, -'.json'.length));
    if (picture) {
      images.push(besidePicture(archive, json, picture, keys));
      unused.delete(picture.name);
    } else if (await mayBeImage(archive, json, signal)) {
      images.push({
        name: fileName(json.name),
        size: json.size,
        isWhole: true,
        read: (signal) => keys.inTurn(() => wholeImage(archive, json, keys, signal)),
      });
    } else {
      continue;
    }
    unused.delete(json.name);
  }
  if (images.length === 0) {
    throw new ZipError('This archive contains no exported images. To upload pictures, unpack it and choose them.');
  }
  if (images.length > MAX_IMAGES) {
    throw new ZipError(
      `This archive contains ${images.length} images. A browser can import ${MAX_IMAGES} at a time. Use gallery-admin images import.`,
    );
  }
  return { images, leftOut: unused.size };
}

/**
 * The keys that the descriptions of an archive state. Descriptions are read one at a time, in the order of the list, so
 * that the first one with a key is imported and the others are refused.
 */
class Keys {
  private readonly owners = new Map<string, string>();
  private last: Promise<unknown> = Promise.resolve();

  inTurn<T>(read: () => Promise<T>): Promise<T> {
    const result = this.last.then(read);
    this.last = result.catch(() => undefined);
    return result;
  }

  claim(key: unknown, name: string): void {
    if (typeof key !== 'string' || key === '') {
      return;
    }
    const owner = this.owners.get(key) ?? name;
    if (owner !== name) {
      throw new ZipError(`“${name}” has the same key “${key}” as “${owner}”. Only the first one is imported.`);
    }
    this.owners.set(key, name);
  }
}

function fileName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

// Not what other programs add.
function isOfUser({ name }: ZipEntry): boolean {
  return !fileName(name).startsWith('.') && !name.startsWith('__MACOSX/');
}

function besidePicture(archive: File, json: ZipEntry, picture: ZipEntry, keys: Keys): PackedImage {
  return {
    name: fileName(picture.name),
    size: picture.size,
    isWhole: false,
    read: async (signal) => {
      if (json.size > MAX_DESCRIPTION) {
        throw new ZipError(`“${json.name}” is too large to be the description of an image.`);
      }
      const { about, text } = await keys.inTurn(async () => {
        const value = parse(await (await readEntry(archive, json, signal)).text(), json.name);
        const isWhole = typeof value['data'] === 'string';
        const about: PackedDescription = isWhole ? {} : description(value, json.name);
        keys.claim(value['resourceKey'], json.name);
        return { about, text: isWhole ? JSON.stringify(value) : null };
      });
      if (text !== null) {
        return { about, text };
      }
      if (!about.resourceKey) {
        throw new ZipError(`“${json.name}” has no key of an image.`);
      }
      const content = await readEntry(archive, picture, signal);
      if (about.etag && about.etag !== (await sha256(content))) {
        throw new ZipError(`The picture is not the one that “${json.name}” describes. It was changed or damaged.`);
      }
      signal.throwIfAborted();
      return { about, text: await importText(about, content) };
    },
  };
}

async function wholeImage(archive: File, json: ZipEntry, keys: Keys, signal: AbortSignal): Promise<PackedContent> {
  const text = await (await readEntry(archive, json, signal)).text();
  const value = parse(text, json.name);
  if (typeof value['data'] !== 'string') {
    throw new ZipError(`“${json.name}” describes a picture that is not in the archive.`);
  }
  keys.claim(value['resourceKey'], json.name);
  return { about: {}, text };
}

// A large one is looked at when it is sent.
async function mayBeImage(archive: File, json: ZipEntry, signal: AbortSignal): Promise<boolean> {
  if (json.size > MAX_DESCRIPTION) {
    return true;
  }
  try {
    const value = parse(await (await readEntry(archive, json, signal)).text(), json.name);
    return 'resourceKey' in value || 'data' in value;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

function parse(text: string, name: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ZipError(`“${name}” is not valid JSON.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ZipError(`“${name}” is not the description of an image.`);
  }
  return value as Record<string, unknown>;
}

function description(from: Record<string, unknown>, name: string): PackedDescription {
  const wrong = (member: string) => new ZipError(`The member “${member}” of “${name}” is not what it should be.`);
  const given = Object.fromEntries(Object.entries(from).filter(([, value]) => value !== null));
  if (given['type'] !== undefined && given['type'] !== 'IMAGE') {
    throw wrong('type');
  }
  const out: Record<string, unknown> = {};
  for (const member of TEXTS) {
    // A server's answer calls the sub type otherwise.
    const value = given[member] ?? (member === 'subType' ? given['resourceSubType'] : undefined);
    if (value !== undefined && (typeof value !== 'string' || value.length > MAX_TEXT)) {
      throw wrong(member);
    }
    out[member] = value || undefined;
  }
  const { public: isPublic, tags, createdTime } = given;
  if (isPublic !== undefined && typeof isPublic !== 'boolean') {
    throw wrong('public');
  }
  if (tags !== undefined && !(Array.isArray(tags) && tags.every((tag) => typeof tag === 'string'))) {
    throw wrong('tags');
  }
  if (createdTime !== undefined && !(Number.isSafeInteger(createdTime) && (createdTime as number) > 0)) {
    throw wrong('createdTime');
  }
  return { ...out, public: isPublic, tags: tags as string[] | undefined, createdTime: createdTime as number | undefined };
}

async function importText({ etag: _, ...about }: PackedDescription, picture: Blob): Promise<string> {
  const head = JSON.stringify({ type: 'IMAGE', ...about });
  return `${head.slice(0, -1)},"data":"${await base64(picture)}"}`;
}

function base64(content: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve((reader.result as string).slice((reader.result as string).indexOf(',') + 1));
    reader.onerror = () => reject(new ZipError('The picture cannot be read.'));
    reader.readAsDataURL(content);
  });
}
