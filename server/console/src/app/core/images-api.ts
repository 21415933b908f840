// SPDX-License-Identifier: Apache-2.0
import { HttpClient, HttpEvent, HttpHeaders, HttpParams } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, firstValueFrom } from 'rxjs';

import { ArchiveLayout, DeleteResult, ImageExport, ImageInfo, ImageRef, ImagesUsage, PageData, PageRequest, SYSTEM_TENANT } from './model';

/** A page request as query parameters, leaving out what is unset. */
export function pageParams(request: PageRequest): HttpParams {
  let params = new HttpParams().set('pageSize', request.pageSize).set('page', request.page);
  if (request.textSearch) {
    params = params.set('textSearch', request.textSearch);
  }
  if (request.sortProperty) {
    params = params.set('sortProperty', request.sortProperty).set('sortOrder', request.sortOrder ?? 'ASC');
  }
  return params;
}

export function isSystemImage(image: ImageRef): boolean {
  return image.tenantId.id === SYSTEM_TENANT;
}

/** The image's address at the server, made from its key: `link` does not encode it. */
export function imageAddress(image: ImageRef): string {
  return `/api/images/${isSystemImage(image) ? 'system' : 'tenant'}/${encodeURIComponent(image.resourceKey)}`;
}

/** The address for showing it. The tag makes caches keep old bytes apart from new ones. */
export function versionedAddress(image: ImageInfo): string {
  return `${imageAddress(image)}?v=${image.etag.slice(0, 16)}`;
}

@Injectable({ providedIn: 'root' })
export class ImagesApi {
  private readonly http = inject(HttpClient);

  list(request: PageRequest, includeSystemImages: boolean): Observable<PageData<ImageInfo>> {
    const params = pageParams(request).set('includeSystemImages', includeSystemImages);
    return this.http.get<PageData<ImageInfo>>('/api/images', { params });
  }

  upload(file: File, title: string): Observable<HttpEvent<ImageInfo>> {
    const form = new FormData();
    form.append('title', title);
    form.append('file', file, file.name);
    return this.http.post<ImageInfo>('/api/image', form, { observe: 'events', reportProgress: true });
  }

  /** Fails with 412 where the image is not the one in `image` any more, unless `overwrite` is set. */
  replace(image: ImageInfo, file: File, overwrite = false): Observable<HttpEvent<ImageInfo>> {
    const form = new FormData();
    form.append('file', file, file.name);
    return this.http.put<ImageInfo>(imageAddress(image), form, {
      observe: 'events',
      reportProgress: true,
      headers: unchanged(image, overwrite),
    });
  }

  /** Fails with 412 where an image with the exported key exists, unless `overwrite` is set. */
  import(data: string, overwrite = false): Observable<HttpEvent<ImageInfo>> {
    const headers = new HttpHeaders({ 'Content-Type': 'application/json' });
    return this.http.put<ImageInfo>('/api/image/import', data, {
      observe: 'events',
      reportProgress: true,
      headers: overwrite ? headers : headers.set('If-None-Match', '*'),
    });
  }

  /** Of an own image. */
  infoOf(key: string): Promise<ImageInfo> {
    return firstValueFrom(this.http.get<ImageInfo>(`/api/images/tenant/${encodeURIComponent(key)}/info`));
  }

  info(image: ImageInfo): Promise<ImageInfo> {
    return firstValueFrom(this.http.get<ImageInfo>(`${imageAddress(image)}/info`));
  }

  /** Fails with 412 where the picture is not the one in `image` any more, unless `overwrite` is set. */
  rename(image: ImageInfo, title: string, overwrite = false): Promise<ImageInfo> {
    return firstValueFrom(
      this.http.put<ImageInfo>(`${imageAddress(image)}/info`, { ...image, title }, { headers: unchanged(image, overwrite) }),
    );
  }

  setPublic(image: ImageInfo, isPublic: boolean): Promise<ImageInfo> {
    return firstValueFrom(this.http.put<ImageInfo>(`${imageAddress(image)}/public/${isPublic}`, {}));
  }

  export(image: ImageInfo): Promise<ImageExport> {
    return firstValueFrom(this.http.get<ImageExport>(`${imageAddress(image)}/export`));
  }

  bytes(image: ImageInfo): Promise<Blob> {
    return firstValueFrom(this.http.get(versionedAddress(image), { responseType: 'blob' }));
  }

  /**
   * A ticket for an archive of these images, and the text that it is for. Submitted together as a form to the
   * returned address they start a download, which needs no token.
   */
  async archive(images: readonly ImageRef[], layout: ArchiveLayout): Promise<{ readonly address: string; readonly text: string }> {
    const keys = (ofSystem: boolean) => images.filter((image) => isSystemImage(image) === ofSystem).map((image) => image.resourceKey);
    // The server ignores the random member. It prevents the use of a ticket by somebody who guesses the list.
    const nonce = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
    const text = JSON.stringify({ tenant: keys(false), system: keys(true), layout, nonce });
    const headers = new HttpHeaders({ 'Content-Type': 'application/json' });
    const { ticket } = await firstValueFrom(this.http.post<{ ticket: string }>('/api/images/zipTicket', text, { headers }));
    return { address: `/api/images/zipDownload?ticket=${encodeURIComponent(ticket)}`, text };
  }

  delete(image: ImageRef, force = false): Promise<DeleteResult> {
    const params = force ? new HttpParams().set('force', true) : undefined;
    return firstValueFrom(this.http.delete<DeleteResult>(imageAddress(image), { params }));
  }

  /** Of the own tenant; a system administrator names another one. */
  usage(tenantId?: string): Observable<ImagesUsage> {
    return this.http.get<ImagesUsage>('/api/images/usage', { params: tenantId ? { tenantId } : {} });
  }

  /**
   * The largest upload in bytes, whichever of the limits of the server and of the tenant sets it; 0 for no limit. It
   * depends on the user and can be changed, so it is not kept.
   */
  async maxSize(): Promise<number> {
    const params = await firstValueFrom(
      this.http.get<{ maxResourceSize?: number; maxUploadSize?: number }>('/api/system/params'),
    );
    return params.maxUploadSize ?? params.maxResourceSize ?? 0;
  }
}

function unchanged(image: ImageInfo, overwrite: boolean): HttpHeaders {
  return overwrite ? new HttpHeaders() : new HttpHeaders({ 'If-Match': `"${image.etag}"` });
}
