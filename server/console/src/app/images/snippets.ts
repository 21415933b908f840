import { ImageInfo } from '../core/model';

/** For any web page: the public link, with the title where the picture cannot be seen. */
export function htmlSnippet(image: ImageInfo): string {
  return `<img src="${image.publicLink ?? ''}" alt="${image.title.replace(/"/g, '&quot;')}" />`;
}

/** For Angular templates, with the pipe of gallery-image-pipe. */
export function angularSnippet(image: ImageInfo): string {
  const link = image.link.replace(/'/g, '%27').replace(/"/g, '%22');
  return `<img [src]="'${link}' | image | async" />`;
}
