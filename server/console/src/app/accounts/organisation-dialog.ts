// SPDX-License-Identifier: Apache-2.0
import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';
import { FormsModule } from '@angular/forms';
import { MatButtonModule } from '@angular/material/button';
import { MAT_DIALOG_DATA, MatDialogModule } from '@angular/material/dialog';
import { MatFormFieldModule } from '@angular/material/form-field';
import { MatInputModule } from '@angular/material/input';
import { MatSelectModule } from '@angular/material/select';
import { firstValueFrom } from 'rxjs';

import { AccountsApi, OrganisationKind } from '../core/accounts-api';
import { errorText } from '../core/errors';
import { EntityRef, NamedEntity, Organisation } from '../core/model';
import { ProfilesApi } from '../core/profiles-api';
import { FormDialog } from '../shared/form-dialog';

export interface OrganisationDialogData {
  readonly kind: OrganisationKind;
  readonly value: Organisation | null;
}

// At most this many profiles are offered.
const OFFERED = 1000;

@Component({
  imports: [FormsModule, MatButtonModule, MatDialogModule, MatFormFieldModule, MatInputModule, MatSelectModule],
  template: `
    <form (ngSubmit)="save()">
      <h2 mat-dialog-title>{{ data.value ? 'Edit ' + data.kind : 'Add ' + data.kind }}</h2>
      <mat-dialog-content>
        @if (error(); as text) {
          <p class="g-error" role="alert">{{ text }}</p>
        }
        <mat-form-field appearance="outline" hideRequiredMarker>
          <mat-label>Name</mat-label>
          <input matInput name="title" required maxlength="255" autocomplete="off" [(ngModel)]="title" />
        </mat-form-field>
        <mat-form-field appearance="outline" hideRequiredMarker>
          <mat-label>E-mail</mat-label>
          <input matInput type="email" name="email" autocomplete="off" [(ngModel)]="email" />
        </mat-form-field>
        <mat-form-field appearance="outline" hideRequiredMarker>
          <mat-label>Phone</mat-label>
          <input matInput type="tel" name="phone" autocomplete="off" [(ngModel)]="phone" />
        </mat-form-field>
        @if (profiles().length > 0) {
          <mat-form-field appearance="outline" hideRequiredMarker subscriptSizing="dynamic">
            <mat-label>Profile</mat-label>
            <mat-select name="profile" [compareWith]="same" [(ngModel)]="profile">
              @for (item of profiles(); track item.id.id) {
                <mat-option [value]="item.id">{{ item.name }}</mat-option>
              }
            </mat-select>
            <mat-hint>Sets the limits of the tenant.</mat-hint>
          </mat-form-field>
        }
        @if (profileProblem(); as text) {
          <p class="g-muted" role="status">The profiles cannot be shown: {{ text }}</p>
        }
      </mat-dialog-content>
      <mat-dialog-actions>
        <button matButton type="button" mat-dialog-close>Cancel</button>
        <button matButton="filled" type="submit" [disabled]="busy() || !title().trim()">Save</button>
      </mat-dialog-actions>
    </form>
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class OrganisationDialog extends FormDialog<Organisation> {
  private readonly api = inject(AccountsApi);
  private readonly profilesApi = inject(ProfilesApi);

  protected readonly data = inject<OrganisationDialogData>(MAT_DIALOG_DATA);
  protected readonly title = signal(this.data.value?.title ?? '');
  protected readonly email = signal(this.data.value?.email ?? '');
  protected readonly phone = signal(this.data.value?.phone ?? '');
  /** Those that are offered; none for a customer. */
  protected readonly profiles = signal<readonly NamedEntity[]>([]);
  protected readonly profile = signal<EntityRef | null>(this.data.value?.tenantProfileId ?? null);
  protected readonly profileProblem = signal<string | null>(null);
  private readonly profileBefore = signal(this.profile());
  protected readonly same = (a: EntityRef | null, b: EntityRef | null) => a?.id === b?.id;
  readonly unsaved = computed(
    () =>
      this.profile()?.id !== this.profileBefore()?.id ||
      this.title() !== (this.data.value?.title ?? '') ||
      this.email() !== (this.data.value?.email ?? '') ||
      this.phone() !== (this.data.value?.phone ?? ''),
  );

  constructor() {
    super();
    if (this.data.kind === 'tenant') {
      this.loadProfiles().catch((error: unknown) => this.profileProblem.set(errorText(error)));
    }
  }

  protected async save(): Promise<void> {
    const title = this.title().trim();
    if (title) {
      await this.send(() =>
        this.api.saveOrganisation(this.data.kind, {
          ...this.data.value,
          title,
          email: this.email().trim() || null,
          phone: this.phone().trim() || null,
          // Without one, the server chooses the default.
          ...(this.profile() && { tenantProfileId: this.profile() }),
        }),
      );
    }
  }

  private async loadProfiles(): Promise<void> {
    const request = { page: 0, pageSize: OFFERED, sortProperty: 'name', sortOrder: 'ASC' } as const;
    const [page, ofNew] = await Promise.all([this.profilesApi.names(request), this.profilesApi.defaultName()]);
    const own = this.profileBefore();
    const offered = (id: EntityRef) => page.data.some((profile) => profile.id.id === id.id);
    const missing = own && !offered(own) ? [await firstValueFrom(this.profilesApi.get(own.id))] : [];
    this.profiles.set([...missing, ...page.data]);
    if (!own) {
      this.profileBefore.set(ofNew.id);
      this.profile.set(ofNew.id);
    }
  }
}
