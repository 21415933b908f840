// SPDX-License-Identifier: Apache-2.0
import { Injectable, inject } from '@angular/core';

import { Connection } from '../core/connection';
import { Notices } from './notices';

/** Loads code when it is first used. That fails if the server is unreachable or serves another console by now. */
@Injectable({ providedIn: 'root' })
export class LazyCode {
  private readonly connection = inject(Connection);
  private readonly notices = inject(Notices);

  /** The result of `fetch`; null if it failed, which has been reported then. */
  async load<T>(fetch: () => Promise<T>): Promise<T | null> {
    try {
      return await fetch();
    } catch (error) {
      await this.missing(error);
      return null;
    }
  }

  /** Reports why code could not be loaded, and what to do. */
  async missing(error: unknown): Promise<void> {
    console.warn(error);
    if (await this.connection.check()) {
      this.notices.fail('The console has changed, or a part of it cannot be loaded. Reload it to continue.', 'Reload', () => location.reload());
    } else {
      this.notices.fail('This cannot be opened without a connection to the server. Try again when the connection is back.');
    }
  }
}
