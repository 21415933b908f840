// SPDX-License-Identifier: Apache-2.0
import { HttpErrorResponse, HttpInterceptorFn, HttpRequest } from '@angular/common/http';
import { inject } from '@angular/core';
import { catchError, defer, from, switchMap, tap, throwError } from 'rxjs';

import { Connection } from './connection';
import { isConnectionLoss } from './errors';
import { Session } from './session';

const OPEN = ['/api/auth/login', '/api/auth/token', '/api/noauth/'];

/** Adds the token to requests, renews it when it has expired, and detects a lost connection. */
export const authInterceptor: HttpInterceptorFn = (request, next) => {
  const connection = inject(Connection);
  const session = inject(Session);
  const watched = (sent: HttpRequest<unknown>) =>
    next(sent).pipe(
      tap({
        error: (error: unknown) => {
          if (isConnectionLoss(error)) {
            connection.reportLoss();
          }
        },
      }),
    );
  if (!request.url.startsWith('/api/') || OPEN.some((prefix) => request.url.startsWith(prefix))) {
    return watched(request);
  }
  const send = (token: string) =>
    watched(request.clone({ setHeaders: { 'X-Authorization': `Bearer ${token}` } }));
  return defer(() => {
    const token = session.usableToken();
    if (token === null) {
      return from(session.freshToken(null)).pipe(switchMap(send));
    }
    return send(token).pipe(
      catchError((error: unknown) =>
        error instanceof HttpErrorResponse && error.status === 401
          ? from(session.freshToken(token)).pipe(switchMap(send))
          : throwError(() => error),
      ),
    );
  });
};
