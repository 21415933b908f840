// SPDX-License-Identifier: Apache-2.0
import { ParamMap, Params } from '@angular/router';

import { PageRequest } from '../core/model';

export type Mode = 'list' | 'grid';
export type SortKey = 'createdTime' | 'title' | 'size' | 'tenantId';
export type SortOrder = 'ASC' | 'DESC';

/** What the images page shows, as it is in the URL. */
export interface ImagesQuery {
  readonly mode: Mode;
  readonly page: number;
  readonly pageSize: number;
  readonly sort: SortKey;
  readonly order: SortOrder;
  readonly search: string;
  readonly system: boolean;
}

export const PAGE_SIZES: readonly number[] = [10, 20, 30];
const SORT_KEYS: readonly string[] = ['createdTime', 'title', 'size', 'tenantId'];
const MODE_KEY = 'gallery.mode';

export function readQuery(params: ParamMap): ImagesQuery {
  const mode = params.get('mode');
  const pageSize = Number(params.get('pageSize'));
  const page = Number(params.get('page'));
  const sort = params.get('sort') ?? '';
  return {
    mode: mode === 'list' || mode === 'grid' ? mode : rememberedMode(),
    page: Number.isInteger(page) && page > 0 ? page : 0,
    pageSize: PAGE_SIZES.includes(pageSize) ? pageSize : PAGE_SIZES[0],
    sort: SORT_KEYS.includes(sort) ? (sort as SortKey) : 'createdTime',
    order: params.get('order') === 'ASC' ? 'ASC' : 'DESC',
    search: params.get('search') ?? '',
    system: params.get('system') === 'true',
  };
}

/** Query parameters for the router, without those that have their default values. */
export function writeQuery(query: ImagesQuery): Params {
  return {
    mode: query.mode,
    page: query.page > 0 ? query.page : null,
    pageSize: query.pageSize !== PAGE_SIZES[0] ? query.pageSize : null,
    sort: query.sort !== 'createdTime' ? query.sort : null,
    order: query.order !== 'DESC' ? query.order : null,
    search: query.search || null,
    system: query.system ? true : null,
  };
}

export function pageRequest(query: ImagesQuery, page: number, pageSize: number): PageRequest {
  return {
    page,
    pageSize,
    textSearch: query.search.trim(),
    sortProperty: query.sort,
    sortOrder: query.order,
  };
}

export function rememberMode(mode: Mode): void {
  localStorage.setItem(MODE_KEY, mode);
}

function rememberedMode(): Mode {
  return localStorage.getItem(MODE_KEY) === 'grid' ? 'grid' : 'list';
}
