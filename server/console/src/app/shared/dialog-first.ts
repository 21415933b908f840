// SPDX-License-Identifier: Apache-2.0
import { inject } from '@angular/core';
import { CanDeactivateFn, Router } from '@angular/router';

import { Dialogs } from './dialogs';

/** Going back in the browser first closes an open dialog, which asks before input is lost. */
export const dialogFirst: CanDeactivateFn<unknown> = () =>
  inject(Router).currentNavigation()?.trigger !== 'popstate' || !inject(Dialogs).closeUppermost();
