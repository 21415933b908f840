import { Injectable, inject } from '@angular/core';

import { Connection } from '../core/connection';
import { Notices } from './notices';

/** Code that is fetched when it is first wanted. It may not come: the server is away, or has another console by now. */
@Injectable({ providedIn: 'root' })
export class LazyCode {
  private readonly connection = inject(Connection);
  private readonly notices = inject(Notices);

  /** What `fetch` brings; null where that cannot be had, which has been said then. */
  async load<T>(fetch: () => Promise<T>): Promise<T | null> {
    try {
      return await fetch();
    } catch (error) {
      await this.missing(error);
      return null;
    }
  }

  /** Says why code has not come, and what to do. */
  async missing(error: unknown): Promise<void> {
    console.warn(error);
    if (await this.connection.check()) {
      this.notices.fail('The console has changed, or a part of it cannot be loaded. Reload it to go on.', 'Reload', () => location.reload());
    } else {
      this.notices.fail('This cannot be opened without a connection to the server. Please try again when it is back.');
    }
  }
}
