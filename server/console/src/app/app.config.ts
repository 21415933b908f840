// SPDX-License-Identifier: Apache-2.0
import { provideHttpClient, withInterceptors } from '@angular/common/http';
import { ApplicationConfig, inject, provideBrowserGlobalErrorListeners, provideZonelessChangeDetection } from '@angular/core';
import { TitleStrategy, provideRouter, withNavigationErrorHandler, withRouterConfig } from '@angular/router';

import { routes } from './app.routes';
import { authInterceptor } from './core/auth.interceptor';
import { basePathInterceptor } from './core/base-path.interceptor';
import { PageTitle } from './core/page-title';
import { LazyCode } from './shared/lazy-code';

export const appConfig: ApplicationConfig = {
  providers: [
    provideBrowserGlobalErrorListeners(),
    provideZonelessChangeDetection(),
    provideHttpClient(withInterceptors([authInterceptor, basePathInterceptor])),
    provideRouter(
      routes,
      // A navigation fails only if the code of the page cannot be loaded.
      withNavigationErrorHandler(({ error }) => void inject(LazyCode).missing(error)),
      // If going back is refused, the history stays unchanged.
      withRouterConfig({ resolveNavigationPromiseOnError: true, canceledNavigationResolution: 'computed' }),
    ),
    { provide: TitleStrategy, useClass: PageTitle },
  ],
};
