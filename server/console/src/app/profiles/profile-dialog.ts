// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';
import { FormsModule } from '@angular/forms';
import { MatButtonModule } from '@angular/material/button';
import { MAT_DIALOG_DATA, MatDialogModule } from '@angular/material/dialog';
import { MatFormFieldModule } from '@angular/material/form-field';
import { MatInputModule } from '@angular/material/input';

import { TenantProfile } from '../core/model';
import { ProfilesApi } from '../core/profiles-api';
import { FormDialog } from '../shared/form-dialog';
import { enteredLimits, isValid, withLimits } from './profile-limits';
import { RatesField } from './rates-field';
import { SizeField } from './size-field';

/** Creates a tenant profile, or changes one. */
@Component({
  imports: [FormsModule, MatButtonModule, MatDialogModule, MatFormFieldModule, MatInputModule, RatesField, SizeField],
  templateUrl: './profile-dialog.html',
  styleUrl: './profile-dialog.scss',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ProfileDialog extends FormDialog<TenantProfile> {
  private readonly api = inject(ProfilesApi);

  /** Null for a new one. */
  protected readonly value = inject<TenantProfile | null>(MAT_DIALOG_DATA);
  protected readonly before = enteredLimits(this.value?.profileData?.configuration ?? {});

  protected readonly name = signal(this.value?.name ?? '');
  protected readonly description = signal(this.value?.description ?? '');
  protected readonly imageSize = signal(this.before.imageSize);
  protected readonly totalSize = signal(this.before.totalSize);
  protected readonly tenantRates = signal(this.before.tenantRates);
  protected readonly customerRates = signal(this.before.customerRates);

  private readonly limits = computed(() => ({
    imageSize: this.imageSize(),
    totalSize: this.totalSize(),
    tenantRates: this.tenantRates(),
    customerRates: this.customerRates(),
  }));
  readonly unsaved = computed(
    () =>
      this.name() !== (this.value?.name ?? '') ||
      this.description() !== (this.value?.description ?? '') ||
      JSON.stringify(this.limits()) !== JSON.stringify(this.before),
  );
  protected readonly ready = computed(() => this.name().trim() !== '' && isValid(this.limits(), this.before));

  protected async save(): Promise<void> {
    if (this.ready()) {
      const profileData = this.value?.profileData;
      await this.send(() =>
        this.api.save({
          ...this.value,
          name: this.name().trim(),
          description: this.description().trim(),
          profileData: { ...profileData, configuration: withLimits(profileData?.configuration ?? { type: 'DEFAULT' }, this.before, this.limits()) },
        }),
      );
    }
  }
}
