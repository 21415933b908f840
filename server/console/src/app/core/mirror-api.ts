// SPDX-License-Identifier: Apache-2.0
import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, firstValueFrom } from 'rxjs';

import { Mirror, MirrorStart } from './model';

const MIRROR = '/api/system/mirror';

/** The mirror of the server's store. Every command returns the state after it. */
@Injectable({ providedIn: 'root' })
export class MirrorApi {
  private readonly http = inject(HttpClient);

  status(): Observable<Mirror> {
    return this.http.get<Mirror>(MIRROR);
  }

  /** Without options that only a backup has, if it is none: the server refuses them. */
  start({ verify, skipDamaged, ...always }: MirrorStart): Promise<Mirror> {
    return this.post('start', always.backup ? { ...always, verify, skipDamaged } : always);
  }

  verify(): Promise<Mirror> {
    return this.post('verify', null);
  }

  stop(): Promise<Mirror> {
    return this.post('stop', { abandon: false });
  }

  abandon(): Promise<Mirror> {
    return this.post('stop', { abandon: true });
  }

  switch(): Promise<Mirror> {
    return this.post('switch', {});
  }

  forget(): Promise<Mirror> {
    return firstValueFrom(this.http.delete<Mirror>(MIRROR));
  }

  private post(action: string, body: object | null): Promise<Mirror> {
    return firstValueFrom(this.http.post<Mirror>(`${MIRROR}/${action}`, body));
  }
}
