// SPDX-License-Identifier: Apache-2.0
import { inject } from '@angular/core';
import { CanActivateFn, Router, Routes } from '@angular/router';

import { Session } from './core/session';
import { dialogFirst } from './shared/dialog-first';

const signedIn: CanActivateFn = async (_route, state) => {
  const session = inject(Session);
  const router = inject(Router);
  const user = await session.resume();
  const to = state.url === '/images' ? null : state.url;
  return user ? true : router.createUrlTree(['/login'], { queryParams: { to } });
};

const administrators: CanActivateFn = () => {
  const session = inject(Session);
  return session.isAdmin() || inject(Router).createUrlTree(['/administrators-only']);
};

const systemAdministrators: CanActivateFn = () =>
  inject(Session).isSystem() || inject(Router).createUrlTree(['/images']);

/** Pages on which dialogs can be open. A change of the query alone counts as leaving them. */
function places(routes: Routes): Routes {
  return routes.map((route) =>
    route.redirectTo ? route : { ...route, canDeactivate: [dialogFirst], runGuardsAndResolvers: 'paramsOrQueryParamsChange' },
  );
}

export const routes: Routes = [
  {
    path: 'login',
    title: 'Sign in',
    loadComponent: () => import('./login/login-page').then((m) => m.LoginPage),
  },
  {
    path: 'login/createPassword',
    title: 'Choose a password',
    loadComponent: () => import('./login/activate-page').then((m) => m.ActivatePage),
  },
  {
    path: '',
    canActivate: [signedIn],
    loadComponent: () => import('./shell/shell').then((m) => m.Shell),
    children: places([
      { path: '', pathMatch: 'full', redirectTo: 'images' },
      { path: 'resources/images', redirectTo: 'images' },
      {
        path: 'images',
        title: 'Images',
        canActivate: [administrators],
        loadComponent: () => import('./images/images-page').then((m) => m.ImagesPage),
      },
      {
        path: 'tenants',
        title: 'Tenants',
        data: { kind: 'tenant' },
        canActivate: [systemAdministrators],
        loadComponent: () => import('./accounts/organisations-page').then((m) => m.OrganisationsPage),
      },
      {
        path: 'tenant-profiles',
        title: 'Tenant profiles',
        canActivate: [systemAdministrators],
        loadComponent: () => import('./profiles/profiles-page').then((m) => m.ProfilesPage),
      },
      {
        path: 'customers',
        title: 'Customers',
        data: { kind: 'customer' },
        canActivate: [administrators],
        loadComponent: () => import('./accounts/organisations-page').then((m) => m.OrganisationsPage),
      },
      {
        path: 'users',
        title: 'Users',
        canActivate: [administrators],
        loadComponent: () => import('./accounts/users-page').then((m) => m.UsersPage),
      },
      {
        path: 'api-keys',
        title: 'API keys',
        loadComponent: () => import('./accounts/api-keys-page').then((m) => m.ApiKeysPage),
      },
      {
        path: 'mirror',
        title: 'Mirror',
        canActivate: [systemAdministrators],
        loadComponent: () => import('./mirror/mirror-page').then((m) => m.MirrorPage),
      },
      {
        path: 'administrators-only',
        title: 'For administrators',
        loadComponent: () => import('./shell/administrators-only').then((m) => m.AdministratorsOnly),
      },
      {
        path: '**',
        title: 'Nothing here',
        loadComponent: () => import('./shell/not-found').then((m) => m.NotFound),
      },
    ]),
  },
];
