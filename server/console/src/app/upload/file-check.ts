// SPDX-License-Identifier: Apache-2.0
import { formatExcess, formatLimit } from '../core/format';

const EXTENSIONS = /\.(png|apng|jpe?g|jfif|gif|webp|avif|heic|heif|svgz?|bmp|ico|cur|tiff?)$/i;

/** For the file chooser: pictures, and the extensions of kinds that browsers do not know. */
export const IMAGE_ACCEPT = 'image/*,.svg,.svgz,.avif,.heic,.heif,.tif,.tiff,.ico';
/** Exported images: as JSON, and archives of them. */
export const IMPORT_ACCEPT = '.json,application/json,.zip,application/zip';

export function isJsonFile(file: File): boolean {
  return file.type === 'application/json' || /\.json$/i.test(file.name);
}

export function isZipFile(file: File): boolean {
  return /\.zip$/i.test(file.name) || file.type === 'application/zip' || file.type === 'application/x-zip-compressed';
}

/** Whether the name or the type is that of a picture. */
export function looksLikeImage(file: File): boolean {
  return file.type.startsWith('image/') || EXTENSIONS.test(file.name);
}

/** Whether a file in a folder is an image, an exported one, or may be an archive of them. */
export function isUsable(file: File): boolean {
  return looksLikeImage(file) || isJsonFile(file) || isZipFile(file);
}

/** The reason not to send this picture at all, or null. The server decides by the content. */
export function imageObjection(file: File, maxSize: number): string | null {
  if (!looksLikeImage(file)) {
    return 'This is not an image file. PNG, JPEG, SVG, WebP, GIF, AVIF and other pictures can be uploaded.';
  }
  if (file.size === 0) {
    return 'This file is empty.';
  }
  return sizeObjection(file.size, maxSize);
}

/** The same for an exported image, by its text. */
export function exportObjection(text: string, maxSize: number): string | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'This file is not valid JSON.';
  }
  const { data, type } = (value ?? {}) as { data?: unknown; type?: unknown };
  if (typeof data !== 'string' || (type !== undefined && type !== 'IMAGE')) {
    return 'This file is not an exported image.';
  }
  return sizeObjection(Math.floor((data.length * 3) / 4), maxSize);
}

/** The reason not to send a picture of this size, or null. `maxSize` 0: there is no limit. */
export function sizeObjection(size: number, maxSize: number): string | null {
  return maxSize > 0 && size > maxSize
    ? `Too large: ${formatExcess(size, maxSize)}; the server accepts up to ${formatLimit(maxSize)}.`
    : null;
}
