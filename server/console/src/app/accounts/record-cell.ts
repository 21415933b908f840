// SPDX-License-Identifier: Apache-2.0
import { Directive, TemplateRef, inject, input } from '@angular/core';

/** The contents of one column of a table of records, where they are more than a text: `<ng-template gRecordCell="key" let-row>`. */
@Directive({ selector: 'ng-template[gRecordCell]' })
export class RecordCell {
  readonly key = input.required<string>({ alias: 'gRecordCell' });
  readonly template = inject<TemplateRef<unknown>>(TemplateRef);
}
