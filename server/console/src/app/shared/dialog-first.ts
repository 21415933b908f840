import { inject } from '@angular/core';
import { CanDeactivateFn, Router } from '@angular/router';

import { Dialogs } from './dialogs';

/** Going back in the browser first closes what is open above the page, which asks where something would be lost. */
export const dialogFirst: CanDeactivateFn<unknown> = () =>
  inject(Router).currentNavigation()?.trigger !== 'popstate' || !inject(Dialogs).closeUppermost();
