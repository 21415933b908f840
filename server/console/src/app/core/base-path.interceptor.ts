// SPDX-License-Identifier: Apache-2.0
import { HttpInterceptorFn } from '@angular/common/http';

import { served } from './base-path';

/** Everywhere else in the console, addresses of the API begin with `/api/`. This is the last interceptor. */
export const basePathInterceptor: HttpInterceptorFn = (request, next) =>
  next(request.url.startsWith('/api/') ? request.clone({ url: served(request.url) }) : request);
