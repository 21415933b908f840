import { HttpClient, HttpErrorResponse, HttpParams } from '@angular/common/http';
import { Injectable, computed, inject, signal } from '@angular/core';
import { Router } from '@angular/router';
import { GalleryImageLoader } from 'gallery-image-pipe';
import { firstValueFrom } from 'rxjs';

import { Dialogs } from '../shared/dialogs';
import { Connection } from './connection';
import { TokenPair, User } from './model';
import { StoredTokens, tokenStore, userOf } from './token-store';

/** Asks the user to sign in again, above whatever is open; resolves to false when they decline. */
export type SignInAgain = (email: string) => Promise<boolean>;

/**
 * Who is signed in. Tokens are renewed by the refresh token, once however many requests need it and
 * however many tabs are open. When that is refused, the user is asked for the password again and
 * the waiting requests then go on, so that nothing typed or chosen is lost.
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
          // Somebody else has signed in in another tab: nothing of the former user's stays on the screen.
          this.dialogs.abandonAll();
          location.assign('/');
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

  /** Takes tokens that some call has returned and learns whose they are. */
  async adopt(pair: TokenPair): Promise<void> {
    this.tokens = tokenStore.write(pair);
    const user = await firstValueFrom(this.http.get<User>('/api/auth/user'));
    if (this.current()?.id.id !== user.id.id) {
      this.loader.forget();
    }
    this.current.set(user);
  }

  /** The current user, asked for where unknown; null where nobody is signed in. */
  async resume(): Promise<User | null> {
    while (this.tokens && !this.current()) {
      try {
        this.current.set(await firstValueFrom(this.http.get<User>('/api/auth/user')));
      } catch (error) {
        // Only a refusal ends the session: a server that is just starting, or a proxy before it, may answer 503.
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
      // Leaving this computer must always work; being signed out elsewhere must not be pretended.
      if (everywhere) {
        throw error;
      }
    }
    this.leave();
  }

  /** The token to send, if one is there and not about to expire. */
  usableToken(): string | null {
    return this.tokens && this.tokens.renewAt > Date.now() ? this.tokens.token : null;
  }

  /** A token other than `stale`, renewed where nobody has renewed it yet. */
  freshToken(stale: string | null): Promise<string> {
    if (this.tokens && stale !== null && this.tokens.token !== stale) {
      return Promise.resolve(this.tokens.token);
    }
    this.renewal ??= this.renewInTurn().finally(() => (this.renewal = null));
    return this.renewal;
  }

  // A refresh token can be used once, so tabs take turns; without locks (plain http on a network)
  // the loser of a race finds the winner's tokens in the store.
  private async renewInTurn(): Promise<string> {
    const before = this.tokens;
    const renew = () => this.renew(before);
    // Absent outside secure contexts, whatever the type says.
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
        // The page that is just being opened leads to the form itself.
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

  /** `to` is where signing in leads again; who has signed out by a button begins anew. */
  private leave(to: string | null = null): void {
    this.forget();
    this.dialogs.abandonAll();
    void this.router.navigate(['/login'], { queryParams: { to } });
  }
}
