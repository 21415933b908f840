// SPDX-License-Identifier: Apache-2.0
/** A question that is answered by one button or by Cancel. */
export interface Confirmation {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  readonly destructive?: boolean;
}
