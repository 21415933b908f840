/** Which of the two galleries a link leads to: the tenant's own, or the one all tenants share. */
export type ImageScope = 'tenant' | 'system';

/** A gallery link taken apart. */
export interface ImageLink {
  readonly scope: ImageScope;
  /** The key of the image, decoded. */
  readonly key: string;
  /** `/preview` was part of the link. */
  readonly preview: boolean;
  /** What follows the question mark, without it; a version tag keeps old bytes out of caches. */
  readonly query: string;
}

/** Marks a link as a gallery image inside other data, such as a stored widget setting. */
export const IMAGE_LINK_PREFIX = 'tb-image;';

const PATTERN = /^\/api\/images\/(tenant|system)\/([^/?#]+)(\/preview)?(?:\?([^#]*))?$/;

/** The link with its `tb-image;` prefix taken off, where it has one. */
export function withoutPrefix(url: string): string {
  return url.startsWith(IMAGE_LINK_PREFIX) ? url.slice(IMAGE_LINK_PREFIX.length) : url;
}

/** Takes a gallery link apart; null for every other URL, which then needs no authentication from us. */
export function parseImageLink(url: string): ImageLink | null {
  const match = PATTERN.exec(withoutPrefix(url));
  if (!match) {
    return null;
  }
  return {
    scope: match[1] as ImageScope,
    key: decoded(match[2]),
    preview: match[3] !== undefined,
    query: match[4] ?? '',
  };
}

/** The path to ask the server for, with the key encoded exactly once. */
export function imagePath(link: ImageLink): string {
  const path = `/api/images/${link.scope}/${encodeURIComponent(link.key)}`;
  return path + (link.preview ? '/preview' : '') + (link.query ? `?${link.query}` : '');
}

// Links come with the key encoded or as it is; a lone percent sign tells that it was never encoded.
function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
