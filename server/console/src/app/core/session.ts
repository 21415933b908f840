// SPDX-License-Identifier: Apache-2.0
import { HttpClient, HttpErrorResponse, HttpParams } from '@angular/common/http';
import { Injectable, computed, inject, signal } from '@angular/core';
import { Router } from '@angular/router';
import { GalleryImageLoader } from 'gallery-image-pipe';
import { firstValueFrom } from 'rxjs';

import { Dialogs } from '../shared/dialogs';
import { served } from './base-path';
import { Connection } from './connection';
import { TokenPair, User } from './model';
import { StoredTokens, tokenStore, userOf } from './token-store';

/** Asks the user to sign in again, above everything that is open. Resolves to false if the user declines. */
export type SignInAgain = (email: string) => Promise<boolean>;

/**
 * The signed-in user. Tokens are renewed with the refresh token, once for all waiting requests and all open tabs. If
 * the server refuses, the user is asked for the password, and the waiting requests then continue, so that no input
 * is lost.
 */
@Injectable({ providedIn: 'root' })
export class Session {
  private readonly http = inject(HttpClient);
  private readonly router = inject(Router);
  private readonly connection = inject(Connection);
  private readonly dialogs = inject(Dialogs);
  private readonly loader = inject(GalleryImageLoader);

  private tokens: StoredTokens | null = tokenStore.read();
  private renewal: Promise<string> | null = null;
  private readonly current = signal<User | null>(null);
  private signInAgain: SignInAgain = () => Promise.resolve(false);

  readonly user = this.current.asReadonly();
  readonly isSystem = computed(() => this.current()?.authority === 'SYS_ADMIN');
  readonly isAdmin = computed(() => {
    const authority = this.current()?.authority;
    return authority === 'SYS_ADMIN' || authority === 'TENANT_ADMIN';
  });

  constructor() {
    addEventListener('storage', (event) => {
      if (event.key === tokenStore.key || event.key === null) {
        this.tokens = tokenStore.read();
        const user = this.current();
        if (!user) {
          return;
        }
        if (!this.tokens) {
          this.leave(this.router.url);
        } else if (userOf(this.tokens) !== user.id.id) {
          // Another user has signed in in another tab: nothing of the former user's stays on the screen.
          this.dialogs.abandonAll();
          location.assign(served('/'));
        }
      }
    });
  }

  get signedIn(): boolean {
    return this.tokens !== null;
  }

  setSignInAgain(ask: SignInAgain): void {
    this.signInAgain = ask;
  }

  async signIn(username: string, password: string): Promise<void> {
    const pair = await firstValueFrom(
      this.http.post<TokenPair>('/api/auth/login', { username, password }),
    );
    await this.adopt(pair);
  }

  /** Stores the tokens that a request returned and fetches the user they belong to. */
  async adopt(pair: TokenPair): Promise<void> {
    this.tokens = tokenStore.write(pair);
    const user = await firstValueFrom(this.http.get<User>('/api/auth/user'));
    if (this.current()?.id.id !== user.id.id) {
      this.loader.forget();
    }
    this.current.set(user);
  }

  /** The current user, fetched if necessary; null if nobody is signed in. */
  async resume(): Promise<User | null> {
    while (this.tokens && !this.current()) {
      try {
        this.current.set(await firstValueFrom(this.http.get<User>('/api/auth/user')));
      } catch (error) {
        // Only a refusal ends the session. A server that is starting, or a proxy in front of it, may answer 503.
        if (error instanceof HttpErrorResponse && error.status >= 400 && error.status < 500 && error.status !== 429) {
          this.forget();
          return null;
        }
        this.connection.reportLoss();
        await this.connection.whenBack();
      }
    }
    return this.current();
  }

  async signOut(everywhere = false): Promise<void> {
    try {
      await firstValueFrom(
        this.http.post('/api/auth/logout', null, { params: new HttpParams({ fromObject: everywhere ? { everywhere: true } : {} }) }),
      );
    } catch (error) {
      // Signing out here always works. Signing out elsewhere must not appear to have worked.
      if (everywhere) {
        throw error;
      }
    }
    this.leave();
  }

  /** The token to send, unless there is none or it is about to expire. */
  usableToken(): string | null {
    return this.tokens && this.tokens.renewAt > Date.now() ? this.tokens.token : null;
  }

  /** A token other than `stale`, renewed unless another tab has done so. */
  freshToken(stale: string | null): Promise<string> {
    if (this.tokens && stale !== null && this.tokens.token !== stale) {
      return Promise.resolve(this.tokens.token);
    }
    this.renewal ??= this.renewInTurn().finally(() => (this.renewal = null));
    return this.renewal;
  }

  // A refresh token can be used once, so tabs take turns. Without locks (plain http), the loser of a race finds the
  // winner's tokens in the store.
  private async renewInTurn(): Promise<string> {
    const before = this.tokens;
    const renew = () => this.renew(before);
    // Absent outside secure contexts, although the type is not optional.
    const locks = navigator.locks as LockManager | undefined;
    return locks ? await locks.request('gallery.renewal', renew) : await renew();
  }

  private async renew(before: StoredTokens | null): Promise<string> {
    if (this.takeStored(before)) {
      return this.tokens!.token;
    }
    if (!before) {
      throw new HttpErrorResponse({ status: 401, error: { message: 'Nobody is signed in.' } });
    }
    try {
      const pair = await firstValueFrom(
        this.http.post<TokenPair>('/api/auth/token', { refreshToken: before.refreshToken }),
      );
      this.tokens = tokenStore.write(pair);
      return this.tokens.token;
    } catch (error) {
      const refused = error instanceof HttpErrorResponse && error.status >= 400 && error.status < 500 && error.status !== 429;
      if (!refused) {
        throw error;
      }
      if (this.takeStored(before)) {
        return this.tokens!.token;
      }
      const email = this.current()?.email;
      if (!email) {
        // The page that is being opened redirects to the form.
        this.forget();
        throw error;
      }
      if ((await this.signInAgain(email)) && this.tokens) {
        return (this.tokens as StoredTokens).token;
      }
      this.leave(this.router.url);
      throw error;
    }
  }

  private takeStored(before: StoredTokens | null): boolean {
    const stored = tokenStore.read();
    if (stored && stored.token !== before?.token) {
      this.tokens = stored;
      return true;
    }
    return false;
  }

  private forget(): void {
    this.tokens = null;
    tokenStore.clear();
    this.current.set(null);
    this.loader.forget();
  }

  /** `to` is the page that opens after signing in again; null opens the first page. */
  private leave(to: string | null = null): void {
    this.forget();
    this.dialogs.abandonAll();
    void this.router.navigate(['/login'], { queryParams: { to } });
  }
}
