import { HttpClient, HttpEvent, HttpParams } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, firstValueFrom } from 'rxjs';

import { DeleteResult, ImageExport, ImageInfo, PageData, PageRequest, SYSTEM_TENANT } from './model';

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

export function isSystemImage(image: ImageInfo): boolean {
  return image.tenantId.id === SYSTEM_TENANT;
}

/** The image's address at the server, with its key encoded. */
export function imageAddress(image: ImageInfo): string {
  return `/api/images/${isSystemImage(image) ? 'system' : 'tenant'}/${encodeURIComponent(image.resourceKey)}`;
}

/** The address for showing it: the tag lets caches keep old bytes apart from new ones. */
export function versionedAddress(image: ImageInfo): string {
  return `${imageAddress(image)}?v=${image.etag.slice(0, 16)}`;
}

@Injectable({ providedIn: 'root' })
export class ImagesApi {
  private readonly http = inject(HttpClient);
  private limit: Promise<number> | null = null;

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

  replace(image: ImageInfo, file: File): Observable<HttpEvent<ImageInfo>> {
    const form = new FormData();
    form.append('file', file, file.name);
    return this.http.put<ImageInfo>(imageAddress(image), form, { observe: 'events', reportProgress: true });
  }

  import(data: string): Observable<HttpEvent<ImageInfo>> {
    return this.http.put<ImageInfo>('/api/image/import', data, {
      observe: 'events',
      reportProgress: true,
      headers: { 'Content-Type': 'application/json' },
    });
  }

  info(image: ImageInfo): Promise<ImageInfo> {
    return firstValueFrom(this.http.get<ImageInfo>(`${imageAddress(image)}/info`));
  }

  rename(image: ImageInfo, title: string): Promise<ImageInfo> {
    return firstValueFrom(this.http.put<ImageInfo>(`${imageAddress(image)}/info`, { ...image, title }));
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

  delete(image: ImageInfo, force = false): Promise<DeleteResult> {
    const params = force ? new HttpParams().set('force', true) : undefined;
    return firstValueFrom(this.http.delete<DeleteResult>(imageAddress(image), { params }));
  }

  /** Bytes that one upload may have; 0 where there is no limit. Asked for once. */
  maxSize(): Promise<number> {
    this.limit ??= firstValueFrom(
      this.http.get<{ maxResourceSize?: number }>('/api/system/params'),
    ).then(
      (params) => params.maxResourceSize ?? 0,
      (error: unknown) => {
        this.limit = null;
        throw error;
      },
    );
    return this.limit;
  }
}
