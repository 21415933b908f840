// SPDX-License-Identifier: Apache-2.0
import { Pipe, PipeTransform, inject } from '@angular/core';
import { DomSanitizer, SafeUrl } from '@angular/platform-browser';
import { Observable, catchError, map, of, startWith } from 'rxjs';

import { imagePath, parseImageLink, withoutPrefix } from './image-link';
import { GALLERY_IMAGE_OPTIONS, GalleryImageLoader } from './image-loader';

export interface ImagePipeOptions {
  /** Ask for the small preview instead of the original. */
  readonly preview?: boolean;
  /** Emit plain strings; otherwise URLs are marked as safe for `[src]`. */
  readonly asString?: boolean;
  /** Emit nothing until the picture is fetched; otherwise a placeholder comes first. */
  readonly ignoreLoadingImage?: boolean;
  /** Shown when there is no URL, or when the picture cannot be fetched. */
  readonly emptyUrl?: string;
}

/** An object with a URL or a gallery link, which the pipe takes instead of a string. */
export interface ImageUrlHolder {
  readonly url?: string | null;
  readonly link?: string | null;
}

const svg = (body: string) =>
  `data:image/svg+xml,${encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">${body}</svg>`,
  )}`;

/** Shown while a picture is being fetched. */
export const LOADING_IMAGE_URL = svg('<rect width="24" height="24" fill="#8884" />');

/** Shown if there is no picture. */
export const NO_IMAGE_URL = svg(
  '<path d="M4 5h16v14H4zM4 16l4-4 4 4 3-3 5 5M4 20 20 4" fill="none" stroke="#8889" stroke-width="1" />',
);

/**
 * Shows a picture that requires authentication: `<img [src]="link | image | async" />`.
 *
 * Links of the form `/api/images/(tenant|system)/...`, with or without `tb-image;` before them, are
 * fetched with the authentication header and become `blob:` URLs, which are revoked some time after the last
 * subscriber has unsubscribed. Every other URL is passed through unchanged.
 */
@Pipe({ name: 'image' })
export class ImagePipe implements PipeTransform {
  private readonly loader = inject(GalleryImageLoader);
  private readonly sanitizer = inject(DomSanitizer);
  private readonly basePath = pathOf(inject(GALLERY_IMAGE_OPTIONS).baseUrl ?? '');

  transform(
    value: string | ImageUrlHolder | null | undefined,
    options: ImagePipeOptions = {},
  ): Observable<string | SafeUrl> {
    const url = typeof value === 'string' ? value : (value?.url ?? value?.link);
    const empty = options.emptyUrl ?? NO_IMAGE_URL;
    if (!url) {
      return of(empty);
    }
    const link = parseImageLink(url, this.basePath);
    if (!link) {
      return of(withoutPrefix(url));
    }
    const path = imagePath(options.preview ? { ...link, preview: true } : link);
    // Only a URL that was made here is marked as safe. All others are sanitised.
    const picture = this.loader.load(path).pipe(
      map((blobUrl) => (options.asString ? blobUrl : this.sanitizer.bypassSecurityTrustUrl(blobUrl))),
      catchError(() => of(empty)),
    );
    return options.ignoreLoadingImage ? picture : picture.pipe(startWith(LOADING_IMAGE_URL));
  }
}

/** The path of a base URL, without host and without a slash at its end. */
function pathOf(baseUrl: string): string {
  return baseUrl.replace(/^[a-z][\w+.-]*:\/\/[^/]*/i, '').replace(/\/+$/, '');
}
