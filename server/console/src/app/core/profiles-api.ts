// SPDX-License-Identifier: Apache-2.0
import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, firstValueFrom } from 'rxjs';

import { pageParams } from './images-api';
import { NamedEntity, PageData, PageRequest, TenantProfile, TenantProfileInput } from './model';

const PROFILE = '/api/tenantProfile';

/** Tenant profiles, for system administrators. */
@Injectable({ providedIn: 'root' })
export class ProfilesApi {
  private readonly http = inject(HttpClient);

  list(request: PageRequest): Observable<PageData<TenantProfile>> {
    return this.http.get<PageData<TenantProfile>>(`${PROFILE}s`, { params: pageParams(request) });
  }

  get(id: string): Observable<TenantProfile> {
    return this.http.get<TenantProfile>(`${PROFILE}/${id}`);
  }

  save(profile: TenantProfileInput): Promise<TenantProfile> {
    return firstValueFrom(this.http.post<TenantProfile>(PROFILE, profile));
  }

  delete(id: string): Promise<unknown> {
    return firstValueFrom(this.http.delete(`${PROFILE}/${id}`));
  }

  makeDefault(id: string): Promise<unknown> {
    return firstValueFrom(this.http.post(`${PROFILE}/${id}/default`, null));
  }

  names(request: PageRequest): Promise<PageData<NamedEntity>> {
    return firstValueFrom(this.http.get<PageData<NamedEntity>>(`${PROFILE}Infos`, { params: pageParams(request) }));
  }

  /** The profile of new tenants. */
  defaultName(): Promise<NamedEntity> {
    return firstValueFrom(this.http.get<NamedEntity>(`${PROFILE}Info/default`));
  }
}
