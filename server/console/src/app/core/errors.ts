// SPDX-License-Identifier: Apache-2.0
import { HttpErrorResponse } from '@angular/common/http';

/** The message to show for a failed request: the server's own if it sent one. */
export function errorText(error: unknown): string {
  if (error instanceof HttpErrorResponse) {
    if (error.status === 0) {
      return 'The server cannot be reached.';
    }
    const message = messageIn(error.error);
    if (message) {
      return message;
    }
    switch (error.status) {
      case 413:
        return 'The server does not accept files this large.';
      case 429:
        return 'Too many requests. Wait a moment.';
      case 502:
      case 503:
      case 504:
        return 'The server is not ready. Try again in a moment.';
      default:
        return `The server answered with status ${error.status}.`;
    }
  }
  return error instanceof Error ? error.message : String(error);
}

/** A message that others follow. */
export function asSentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

/** As errorText, for requests whose answer is a blob, which contains the server's message. */
export async function blobErrorText(error: unknown): Promise<string> {
  if (error instanceof HttpErrorResponse && error.error instanceof Blob) {
    const message = messageIn(await error.error.text().catch(() => ''));
    if (message) {
      return message;
    }
  }
  return errorText(error);
}

export function isConnectionLoss(error: unknown): boolean {
  return error instanceof HttpErrorResponse && error.status === 0;
}

/** In how many seconds a request may be repeated that a rate limit has refused; null if the server does not say. */
export function retryAfter(error: unknown): number | null {
  const header = error instanceof HttpErrorResponse && error.status === 429 ? error.headers.get('Retry-After') : null;
  return header !== null && /^\d+$/.test(header) ? Math.max(1, Number(header)) : null;
}

/** The image is not in the state that the request names: another user was faster. */
export function isConflict(error: unknown): boolean {
  return error instanceof HttpErrorResponse && error.status === 412;
}

/** The requested object does not exist, or no longer. */
export function isGone(error: unknown): boolean {
  return error instanceof HttpErrorResponse && error.status === 404;
}

/** The server's message in the body of a refused request; null where it contains none. */
export function messageIn(body: unknown): string | null {
  let value = body;
  if (typeof value === 'string') {
    try {
      value = JSON.parse(value);
    } catch {
      return null;
    }
  }
  const message = (value as { message?: unknown } | null)?.message;
  return typeof message === 'string' && message ? message : null;
}
