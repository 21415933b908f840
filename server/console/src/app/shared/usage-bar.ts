// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { ImagesUsage } from '../core/model';
import { usageLevel, usageParts, usageText, usedPercent } from '../core/usage';
import { Icon } from './icon';

/** What the images of a tenant occupy: a text, and a bar if there is a limit. */
@Component({
  selector: 'g-usage-bar',
  imports: [Icon],
  host: { '[class]': 'level()', '[attr.title]': 'parts()' },
  template: `
    <span class="text">
      @if (level() !== 'normal') {
        <g-icon name="alert" />
      }
      <bdi dir="ltr">{{ text() }}</bdi>
    </span>
    @if (percent(); as percent) {
      <span
        class="track"
        role="meter"
        aria-valuemin="0"
        aria-valuemax="100"
        [attr.aria-label]="label()"
        [attr.aria-valuenow]="percent.shown"
        [attr.aria-valuetext]="percent.text"
      >
        <span [style.inline-size.%]="percent.shown"></span>
      </span>
    }
  `,
  styles: `
    :host {
      display: inline-flex;
      flex-direction: column;
      gap: 4px;
      width: 150px;
      font-size: 13px;
      line-height: 16px;
      white-space: nowrap;
    }
    .text {
      display: flex;
      align-items: center;
      gap: 4px;
      font-variant-numeric: tabular-nums;
    }
    g-icon {
      width: 16px;
      height: 16px;
    }
    .track {
      height: 4px;
      overflow: hidden;
      border-radius: 2px;
      background: var(--mat-sys-surface-variant);

      span {
        display: block;
        height: 100%;
        background: var(--mat-sys-primary);
      }
    }
    :host(.high) {
      .text {
        color: var(--g-warning-text);
      }
      .track span {
        background: var(--g-warning);
      }
    }
    :host(.full) {
      .text {
        color: var(--mat-sys-error);
      }
      .track span {
        background: var(--mat-sys-error);
      }
    }
    // Windows' contrast themes replace backgrounds.
    @media (forced-colors: active) {
      .track {
        height: 6px;
        border: 1px solid;

        span {
          forced-color-adjust: none;
          background: Highlight !important;
        }
      }
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class UsageBar {
  readonly usage = input.required<ImagesUsage>();
  /** What screen readers call the bar. */
  readonly label = input.required<string>();

  protected readonly level = computed(() => usageLevel(this.usage()));
  protected readonly text = computed(() => usageText(this.usage()));
  protected readonly parts = computed(() => usageParts(this.usage()));
  protected readonly percent = computed(() => {
    const percent = usedPercent(this.usage());
    return percent === null ? null : { shown: Math.min(percent, 100), text: `${percent} %` };
  });
}
