// SPDX-License-Identifier: Apache-2.0
import { parseImageLink } from 'gallery-image-pipe';

import { BASE_PATH, servedLink } from '../core/base-path';
import { imageAddress } from '../core/images-api';
import { ImageInfo } from '../core/model';

/** For any web page: the public link, with the title as alternative text. */
export function htmlSnippet(image: ImageInfo): string {
  return `<img src="${image.publicLink ? servedLink(image.publicLink) : ''}" alt="${image.title.replace(/"/g, '&quot;')}" />`;
}

/** For Angular templates, with the pipe of gallery-image-pipe, which adds the base path. */
export function angularSnippet(image: ImageInfo): string {
  const below = BASE_PATH && image.link.startsWith(`${BASE_PATH}/api/`);
  const link = quotable(below ? image.link.slice(BASE_PATH.length) : image.link);
  // In a link, a key such as "100%25.png" is ambiguous unless it is encoded.
  const clear = parseImageLink(link)?.key === image.resourceKey ? link : quotable(imageAddress(image));
  return `<img [src]="'${clear}' | image | async" />`;
}

function quotable(link: string): string {
  return link.replace(/'/g, '%27').replace(/"/g, '%22');
}
