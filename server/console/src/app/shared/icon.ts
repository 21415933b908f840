// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';
import {
  mdiAccountCircleOutline,
  mdiAccountGroupOutline,
  mdiAccountMultipleOutline,
  mdiAlertCircleOutline,
  mdiArrowRight,
  mdiCheck,
  mdiCheckCircleOutline,
  mdiClose,
  mdiCodeTags,
  mdiContentCopy,
  mdiDatabaseSyncOutline,
  mdiDeleteOutline,
  mdiDomain,
  mdiDotsVertical,
  mdiDownloadOutline,
  mdiEarth,
  mdiExportVariant,
  mdiEyeOffOutline,
  mdiEyeOutline,
  mdiFileImportOutline,
  mdiFormatListBulleted,
  mdiGauge,
  mdiImageMultipleOutline,
  mdiImageOffOutline,
  mdiKeyOutline,
  mdiLockOutline,
  mdiLogout,
  mdiMagnify,
  mdiPencilOutline,
  mdiPlus,
  mdiRefresh,
  mdiRestart,
  mdiSortVariant,
  mdiTrayArrowUp,
  mdiUndo,
  mdiViewGridOutline,
  mdiWifiOff,
} from '@mdi/js';

const PATHS = {
  account: mdiAccountCircleOutline,
  alert: mdiAlertCircleOutline,
  arrow: mdiArrowRight,
  check: mdiCheck,
  close: mdiClose,
  copy: mdiContentCopy,
  customers: mdiAccountGroupOutline,
  delete: mdiDeleteOutline,
  done: mdiCheckCircleOutline,
  download: mdiDownloadOutline,
  edit: mdiPencilOutline,
  embed: mdiCodeTags,
  export: mdiExportVariant,
  grid: mdiViewGridOutline,
  hide: mdiEyeOffOutline,
  images: mdiImageMultipleOutline,
  import: mdiFileImportOutline,
  key: mdiKeyOutline,
  list: mdiFormatListBulleted,
  lock: mdiLockOutline,
  logout: mdiLogout,
  mirror: mdiDatabaseSyncOutline,
  more: mdiDotsVertical,
  'no-image': mdiImageOffOutline,
  offline: mdiWifiOff,
  plus: mdiPlus,
  profiles: mdiGauge,
  public: mdiEarth,
  refresh: mdiRefresh,
  retry: mdiRestart,
  search: mdiMagnify,
  sort: mdiSortVariant,
  tenants: mdiDomain,
  undo: mdiUndo,
  upload: mdiTrayArrowUp,
  users: mdiAccountMultipleOutline,
  view: mdiEyeOutline,
} as const;

export type IconName = keyof typeof PATHS;

/** An icon in the colour of the text. Screen readers ignore it: its control has the name. */
@Component({
  selector: 'g-icon',
  host: { 'aria-hidden': 'true' },
  template: `<svg viewBox="0 0 24 24" focusable="false"><path [attr.d]="path()" /></svg>`,
  styles: `
    :host {
      display: inline-flex;
      flex: none;
      width: 20px;
      height: 20px;
    }
    svg {
      width: 100%;
      height: 100%;
      fill: currentColor;
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class Icon {
  readonly name = input.required<IconName>();
  protected readonly path = computed(() => PATHS[this.name()]);
}
