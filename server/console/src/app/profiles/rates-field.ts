// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, ElementRef, Injector, afterNextRender, computed, inject, input, model, viewChild, viewChildren } from '@angular/core';
import { FormsModule } from '@angular/forms';
import { MatButton, MatButtonModule } from '@angular/material/button';
import { MatFormFieldModule } from '@angular/material/form-field';
import { MatInputModule } from '@angular/material/input';

import { Icon } from '../shared/icon';
import { EnteredRate, MOST_RATES, rateProblem } from './rates';

/** A rate limit: rows of "N requests per M seconds". */
@Component({
  selector: 'g-rates-field',
  imports: [FormsModule, MatButtonModule, MatFormFieldModule, MatInputModule, Icon],
  template: `
    <fieldset>
      <legend>{{ legend() }}</legend>
      @for (rate of rates(); track $index; let i = $index) {
        <div class="rate">
          <mat-form-field appearance="outline" subscriptSizing="dynamic">
            <mat-label>Requests</mat-label>
            <input
              #requestsField
              matInput
              dir="ltr"
              inputmode="numeric"
              autocomplete="off"
              [attr.aria-label]="'Requests of limit ' + (i + 1)"
              [ngModel]="rate.requests"
              (ngModelChange)="change(i, { requests: $event })"
            />
          </mat-form-field>
          <span aria-hidden="true">per</span>
          <mat-form-field appearance="outline" subscriptSizing="dynamic">
            <mat-label>Seconds</mat-label>
            <input
              matInput
              dir="ltr"
              inputmode="numeric"
              autocomplete="off"
              [attr.aria-label]="'Seconds of limit ' + (i + 1)"
              [ngModel]="rate.seconds"
              (ngModelChange)="change(i, { seconds: $event })"
            />
          </mat-form-field>
          <button matIconButton type="button" title="Remove" [attr.aria-label]="'Remove limit ' + (i + 1)" (click)="remove(i)"><g-icon name="close" /></button>
        </div>
      } @empty {
        <p class="g-muted">No limit</p>
      }
      @if (problem(); as text) {
        <p class="problem" aria-live="polite">{{ text }}</p>
      }
      <button #addButton matButton type="button" [disabled]="rates().length >= most" (click)="add()"><g-icon name="plus" matButtonIcon />Add limit</button>
    </fieldset>
  `,
  styles: `
    fieldset {
      min-width: 0;
      margin: 18px 0 0;
      padding: 0;
      border: 0;
    }
    legend {
      padding: 0;
      font-weight: 600;
    }
    p {
      margin: 4px 0;
    }
    .rate {
      display: flex;
      align-items: center;
      gap: 8px;
      padding-top: 12px;
    }
    mat-form-field {
      flex: 1;
      min-width: 0;
    }
    .problem {
      margin-top: 8px;
      color: var(--mat-sys-error);
    }
    button[matButton] {
      margin-top: 4px;
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class RatesField {
  readonly legend = input.required<string>();
  readonly rates = model.required<readonly EnteredRate[]>();

  private readonly injector = inject(Injector);
  private readonly requestsFields = viewChildren<ElementRef<HTMLInputElement>>('requestsField');
  private readonly addButton = viewChild.required<MatButton>('addButton');

  protected readonly most = MOST_RATES;
  protected readonly problem = computed(() => rateProblem(this.rates()));

  protected change(index: number, part: Partial<EnteredRate>): void {
    this.rates.update((rates) => rates.map((rate, i) => (i === index ? { ...rate, ...part } : rate)));
  }

  protected add(): void {
    this.rates.update((rates) => [...rates, { requests: '', seconds: '' }]);
    afterNextRender(() => this.requestsFields().at(-1)?.nativeElement.focus(), { injector: this.injector });
  }

  protected remove(index: number): void {
    this.rates.update((rates) => rates.filter((_, i) => i !== index));
    // It may have been disabled until now.
    afterNextRender(() => this.addButton().focus(), { injector: this.injector });
  }
}
