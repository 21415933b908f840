// SPDX-License-Identifier: Apache-2.0
import { bootstrapApplication } from '@angular/platform-browser';

import { App } from './app/app';
import { appConfig } from './app/app.config';
import { BASE_PATH } from './app/core/base-path';

// The page that is opened most: its code is fetched while the session is still being looked up.
if (/^\/(images)?$/.test(location.pathname.slice(BASE_PATH.length))) {
  void Promise.all([import('./app/shell/shell'), import('./app/images/images-page')]).catch(() => undefined);
}

bootstrapApplication(App, appConfig).catch((error: unknown) => console.error(error));
