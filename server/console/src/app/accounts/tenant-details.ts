// SPDX-License-Identifier: Apache-2.0
import { DestroyRef, Injectable, inject, signal } from '@angular/core';
import { EMPTY, Observable, Subscription, catchError, from, map, mergeMap } from 'rxjs';

import { errorText, isConnectionLoss } from '../core/errors';
import { ImagesApi } from '../core/images-api';
import { ImagesUsage, Organisation } from '../core/model';
import { ProfilesApi } from '../core/profiles-api';

const AT_ONCE = 4;

/** The space that a tenant's images occupy, or why it is not known. */
export interface TenantUsage {
  readonly usage: ImagesUsage | null;
  readonly problem: string;
}

/**
 * What the list of tenants shows and the server does not send with it: the name of the profile and the used space.
 * They are fetched for the rows on the screen only. Earlier values stay until they are replaced.
 */
@Injectable()
export class TenantDetails {
  private readonly images = inject(ImagesApi);
  private readonly profiles = inject(ProfilesApi);
  private readonly usages = signal<ReadonlyMap<string, TenantUsage>>(new Map());
  private readonly names = signal<ReadonlyMap<string, string>>(new Map());
  private call: Subscription | null = null;

  constructor() {
    inject(DestroyRef).onDestroy(() => this.call?.unsubscribe());
  }

  load(tenants: readonly Organisation[]): void {
    this.call?.unsubscribe();
    const profiles = new Set(tenants.map(({ tenantProfileId }) => tenantProfileId?.id).filter((id) => id !== undefined));
    const calls = [...[...profiles].map((id) => this.loadName(id)), ...tenants.map(({ id }) => this.loadUsage(id.id))];
    this.call = from(calls)
      .pipe(mergeMap((call) => call, AT_ONCE))
      .subscribe();
  }

  /** Null until it is known. */
  usageOf(tenant: Organisation): TenantUsage | null {
    return this.usages().get(tenant.id.id) ?? null;
  }

  /** Empty until it is known. */
  profileOf(tenant: Organisation): string {
    return this.names().get(tenant.tenantProfileId?.id ?? '') ?? '';
  }

  private loadUsage(id: string): Observable<void> {
    return this.images.usage(id).pipe(
      map((usage) => this.note(id, { usage, problem: '' })),
      catchError((error: unknown) => {
        // A lost connection is shown elsewhere.
        if (!isConnectionLoss(error)) {
          this.note(id, { usage: null, problem: errorText(error) });
        }
        return EMPTY;
      }),
    );
  }

  private loadName(id: string): Observable<void> {
    return this.profiles.get(id).pipe(
      map(({ name }) => this.names.update((names) => new Map(names).set(id, name))),
      catchError(() => EMPTY),
    );
  }

  private note(id: string, usage: TenantUsage): void {
    this.usages.update((usages) => new Map(usages).set(id, usage));
  }
}
