import { bootstrapApplication } from '@angular/platform-browser';

import { App } from './app/app';
import { appConfig } from './app/app.config';

// The page that nearly everybody opens: its code comes while the session is still being looked up.
if (/^\/(images)?$/.test(location.pathname)) {
  void Promise.all([import('./app/shell/shell'), import('./app/images/images-page')]).catch(() => undefined);
}

bootstrapApplication(App, appConfig).catch((error: unknown) => console.error(error));
