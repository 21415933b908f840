/** A question that is answered by one button or by Cancel. */
export interface Confirmation {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  readonly destructive?: boolean;
}
