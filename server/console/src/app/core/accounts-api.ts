// SPDX-License-Identifier: Apache-2.0
import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, firstValueFrom } from 'rxjs';

import { pageParams } from './images-api';
import { ApiKey, ApiKeyInfo, Organisation, PageData, PageRequest, TenantContents, TokenPair, User } from './model';

export type OrganisationKind = 'tenant' | 'customer';

@Injectable({ providedIn: 'root' })
export class AccountsApi {
  private readonly http = inject(HttpClient);

  organisations(kind: OrganisationKind, request: PageRequest): Observable<PageData<Organisation>> {
    return this.http.get<PageData<Organisation>>(`/api/${kind}s`, { params: pageParams(request) });
  }

  organisation(kind: OrganisationKind, id: string): Promise<Organisation> {
    return firstValueFrom(this.http.get<Organisation>(`/api/${kind}/${id}`));
  }

  saveOrganisation(kind: OrganisationKind, value: Partial<Organisation>): Promise<Organisation> {
    return firstValueFrom(this.http.post<Organisation>(`/api/${kind}`, value));
  }

  deleteOrganisation(kind: OrganisationKind, id: string): Promise<unknown> {
    return firstValueFrom(this.http.delete(`/api/${kind}/${id}`));
  }

  tenantContents(id: string): Promise<TenantContents> {
    return firstValueFrom(this.http.get<TenantContents>(`/api/tenant/${id}/contents`));
  }

  users(request: PageRequest, tenant: string | null): Observable<PageData<User>> {
    const path = tenant ? `/api/tenant/${tenant}/users` : '/api/users';
    return this.http.get<PageData<User>>(path, { params: pageParams(request) });
  }

  saveUser(user: Partial<User>): Promise<User> {
    return firstValueFrom(
      this.http.post<User>('/api/user', user, { params: { sendActivationMail: false } }),
    );
  }

  deleteUser(id: string): Promise<unknown> {
    return firstValueFrom(this.http.delete(`/api/user/${id}`));
  }

  activationLink(id: string): Promise<string> {
    return firstValueFrom(this.http.get(`/api/user/${id}/activationLink`, { responseType: 'text' }));
  }

  enableUser(id: string, enabled: boolean): Promise<unknown> {
    return firstValueFrom(
      this.http.post(`/api/user/${id}/userCredentialsEnabled`, null, {
        params: { userCredentialsEnabled: enabled },
      }),
    );
  }

  activate(activateToken: string, password: string): Promise<TokenPair> {
    return firstValueFrom(
      this.http.post<TokenPair>('/api/noauth/activate', { activateToken, password }, {
        params: { sendActivationMail: false },
      }),
    );
  }

  changePassword(currentPassword: string, newPassword: string): Promise<TokenPair> {
    return firstValueFrom(
      this.http.post<TokenPair>('/api/auth/changePassword', { currentPassword, newPassword }),
    );
  }

  apiKeys(userId: string, request: PageRequest): Observable<PageData<ApiKeyInfo>> {
    return this.http.get<PageData<ApiKeyInfo>>(`/api/apiKeys/${userId}`, { params: pageParams(request) });
  }

  createApiKey(userId: User['id'], description: string, expirationTime: number): Promise<ApiKey> {
    return firstValueFrom(
      this.http.post<ApiKey>('/api/apiKey', { userId, description, enabled: true, expirationTime }),
    );
  }

  describeApiKey(id: string, description: string): Promise<ApiKeyInfo> {
    return firstValueFrom(this.http.put<ApiKeyInfo>(`/api/apiKey/${id}/description`, description));
  }

  enableApiKey(id: string, enabled: boolean): Promise<ApiKeyInfo> {
    return firstValueFrom(this.http.put<ApiKeyInfo>(`/api/apiKey/${id}/enabled/${enabled}`, null));
  }

  deleteApiKey(id: string): Promise<unknown> {
    return firstValueFrom(this.http.delete(`/api/apiKey/${id}`));
  }
}
