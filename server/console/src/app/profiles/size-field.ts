// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, computed, input, model } from '@angular/core';
import { FormsModule } from '@angular/forms';
import { MatFormFieldModule } from '@angular/material/form-field';
import { MatInputModule } from '@angular/material/input';
import { MatSelectModule } from '@angular/material/select';

import { EnteredSize, UNITS, Unit, isSize } from './byte-size';

/** A size in bytes: its number and its unit. */
@Component({
  selector: 'g-size-field',
  imports: [FormsModule, MatFormFieldModule, MatInputModule, MatSelectModule],
  template: `
    <mat-form-field appearance="outline" subscriptSizing="dynamic">
      <mat-label>{{ label() }}</mat-label>
      <input
        matInput
        dir="ltr"
        inputmode="decimal"
        autocomplete="off"
        placeholder="No limit"
        [attr.aria-invalid]="isWrong()"
        [ngModel]="size().amount"
        (ngModelChange)="change($event, size().unit)"
      />
      @if (isWrong()) {
        <mat-hint class="problem">Enter a number, for instance 1.5.</mat-hint>
      }
    </mat-form-field>
    <mat-form-field class="unit" appearance="outline" subscriptSizing="dynamic">
      <mat-label>Unit</mat-label>
      <mat-select [aria-label]="'Unit of ' + label().toLowerCase()" [ngModel]="size().unit" (ngModelChange)="change(size().amount, $event)">
        @for (unit of units; track unit) {
          <mat-option [value]="unit">{{ unit }}</mat-option>
        }
      </mat-select>
    </mat-form-field>
  `,
  styles: `
    :host {
      display: flex;
      align-items: flex-start;
      gap: 8px;
    }
    mat-form-field {
      flex: 1;
      min-width: 0;
    }
    .unit {
      flex: 0 0 104px;
    }
    .problem {
      color: var(--mat-sys-error);
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class SizeField {
  readonly label = input.required<string>();
  /** The size that is stored. */
  readonly before = input.required<EnteredSize>();
  readonly size = model.required<EnteredSize>();

  protected readonly units = UNITS;
  protected readonly isWrong = computed(() => !isSize(this.size(), this.before()));

  protected change(amount: string, unit: Unit): void {
    this.size.set({ amount, unit });
  }
}
