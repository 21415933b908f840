import { TokenPair } from './model';

export interface StoredTokens extends TokenPair {
  /** This computer's clock at which the access token should be renewed, in milliseconds. */
  readonly renewAt: number;
}

const KEY = 'gallery.session';
// Renew a little early, so that a request under way does not arrive too late.
const MARGIN_MS = 30_000;

/**
 * Tokens survive a reload and are shared by the tabs of this origin. They are in localStorage, where
 * no cookie rides along with requests of others; pictures never share the console's origin: they
 * are shown through <img> only, and opened by themselves they are sandboxed by the server.
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

/** The id of the user whose tokens these are; null where the token does not say. */
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

// The lifetime is counted from now on: the two clocks need not agree.
function renewalTime(token: string): number {
  try {
    const claims = claimsIn(token);
    const lifetime = (claims.exp - claims.iat) * 1000;
    return Date.now() + Math.max(lifetime - MARGIN_MS, lifetime / 2);
  } catch {
    return Number.MAX_SAFE_INTEGER;
  }
}
