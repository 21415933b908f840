// SPDX-License-Identifier: Apache-2.0
import { BASE_PATH } from './base-path';
import { TokenPair } from './model';

export interface StoredTokens extends TokenPair {
  /** When to renew the access token, in milliseconds of this computer's clock. */
  readonly renewAt: number;
}

// Galleries under different paths of one host share their storage, but not their sessions.
const KEY = `gallery.session${BASE_PATH}`;
// Renew early enough for a request in flight.
const MARGIN_MS = 30_000;

/**
 * Tokens survive a reload and are shared by the tabs of this origin. They are in localStorage, so that requests of
 * other sites never carry them as cookies would. Pictures cannot read them: the console shows them through <img>
 * only, and the server sandboxes a picture that is opened by itself.
 */
export const tokenStore = {
  key: KEY,

  read(): StoredTokens | null {
    try {
      const value = JSON.parse(localStorage.getItem(KEY) ?? 'null') as StoredTokens | null;
      return value?.token && value.refreshToken ? value : null;
    } catch {
      return null;
    }
  },

  write(pair: TokenPair): StoredTokens {
    const stored = { token: pair.token, refreshToken: pair.refreshToken, renewAt: renewalTime(pair.token) };
    localStorage.setItem(KEY, JSON.stringify(stored));
    return stored;
  },

  clear(): void {
    localStorage.removeItem(KEY);
  },
};

interface Claims {
  readonly userId: string;
  readonly iat: number;
  readonly exp: number;
}

/** The id of the user to whom these tokens belong; null if the token does not contain it. */
export function userOf(tokens: TokenPair): string | null {
  try {
    return claimsIn(tokens.token).userId;
  } catch {
    return null;
  }
}

function claimsIn(token: string): Claims {
  const payload = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
  return JSON.parse(atob(payload)) as Claims;
}

// The lifetime is counted from now, since the two clocks may differ.
function renewalTime(token: string): number {
  try {
    const claims = claimsIn(token);
    const lifetime = (claims.exp - claims.iat) * 1000;
    return Date.now() + Math.max(lifetime - MARGIN_MS, lifetime / 2);
  } catch {
    return Number.MAX_SAFE_INTEGER;
  }
}
