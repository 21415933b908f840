// SPDX-License-Identifier: Apache-2.0
/** The gallery of a link: the tenant's own, or the one that all tenants share. */
export type ImageScope = 'tenant' | 'system';

/** The parts of a gallery link. */
export interface ImageLink {
  readonly scope: ImageScope;
  /** The key of the image, decoded. */
  readonly key: string;
  /** Whether the link ends in `/preview`. */
  readonly preview: boolean;
  /** The query without its question mark. A version tag in it keeps caches from returning old bytes. */
  readonly query: string;
}

/** Marks a link as a gallery image inside other data, such as a stored widget setting. */
export const IMAGE_LINK_PREFIX = 'tb-image;';

// The server does not encode the key in a link, so "#" and "?" may be part of it. What follows the last "?" is a query
// only if it has the form of one.
const PATTERN = /^\/api\/images\/(tenant|system)\/([^/]+?)(\/preview)?(?:\?([\w.~-]+=[^?#]*))?$/;

/** The link without its `tb-image;` prefix. */
export function withoutPrefix(url: string): string {
  return url.startsWith(IMAGE_LINK_PREFIX) ? url.slice(IMAGE_LINK_PREFIX.length) : url;
}

/**
 * Parses a gallery link; null for every other URL, which needs no authentication here. The links of a gallery that
 * is served below a path begin with it: `basePath` is such a path, without a slash at its end.
 */
export function parseImageLink(url: string, basePath = ''): ImageLink | null {
  const link = withoutPrefix(url);
  const match = PATTERN.exec(basePath && link.startsWith(`${basePath}/api/`) ? link.slice(basePath.length) : link);
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

/** The path to request, with the key encoded exactly once. */
export function imagePath(link: ImageLink): string {
  const path = `/api/images/${link.scope}/${encodeURIComponent(link.key)}`;
  return path + (link.preview ? '/preview' : '') + (link.query ? `?${link.query}` : '');
}

// A link contains the key as it is or percent-encoded. A lone percent sign shows that it was never encoded.
function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
