import { provideHttpClient, withInterceptors } from '@angular/common/http';
import { ApplicationConfig, inject, provideBrowserGlobalErrorListeners, provideZonelessChangeDetection } from '@angular/core';
import { TitleStrategy, provideRouter, withNavigationErrorHandler, withRouterConfig } from '@angular/router';

import { routes } from './app.routes';
import { authInterceptor } from './core/auth.interceptor';
import { PageTitle } from './core/page-title';
import { LazyCode } from './shared/lazy-code';

export const appConfig: ApplicationConfig = {
  providers: [
    provideBrowserGlobalErrorListeners(),
    provideZonelessChangeDetection(),
    provideHttpClient(withInterceptors([authInterceptor])),
    provideRouter(
      routes,
      // What keeps a page from coming is its code that cannot be fetched.
      withNavigationErrorHandler(({ error }) => void inject(LazyCode).missing(error)),
      // Where going back is not followed, the history stays as it was.
      withRouterConfig({ resolveNavigationPromiseOnError: true, canceledNavigationResolution: 'computed' }),
    ),
    { provide: TitleStrategy, useClass: PageTitle },
  ],
};
