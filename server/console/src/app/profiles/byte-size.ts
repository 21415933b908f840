// SPDX-License-Identifier: Apache-2.0
/** Sizes in bytes as they are entered: a number and a unit. */

/** In powers of 1024, as everywhere in the console. */
export const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;
export type Unit = (typeof UNITS)[number];

export interface EnteredSize {
  /** As it was typed; empty for no limit. */
  readonly amount: string;
  readonly unit: Unit;
}

function unitBytes(unit: Unit): number {
  return 1024 ** UNITS.indexOf(unit);
}

/** The size in the largest unit in which two decimals state it exactly, so that an unchanged size stays the same. */
export function enteredSize(bytes: number, unitOfNone: Unit): EnteredSize {
  if (bytes <= 0) {
    return { amount: '', unit: unitOfNone };
  }
  const exact = [...UNITS].reverse().find((unit) => {
    const amount = roundedAmount(bytes, unit);
    return amount >= 1 && Math.round(amount * unitBytes(unit)) === bytes;
  });
  const unit = exact ?? 'B';
  return { amount: String(roundedAmount(bytes, unit)), unit };
}

function roundedAmount(bytes: number, unit: Unit): number {
  return Number((bytes / unitBytes(unit)).toFixed(2));
}

/** Whether it can be saved. A size that was not changed can, even if the server has one that cannot be entered. */
export function isSize(size: EnteredSize, before: EnteredSize): boolean {
  return bytesOf(size) !== null || (size.amount === before.amount && size.unit === before.unit);
}

/** In bytes; 0 for no limit; null if it is no size. */
export function bytesOf({ amount, unit }: EnteredSize): number | null {
  const text = amount.trim();
  if (text === '') {
    return 0;
  }
  if (!/^\d+(\.\d+)?$/.test(text)) {
    return null;
  }
  const bytes = Math.round(Number(text) * unitBytes(unit));
  // A part of a byte must not become "no limit". Above, numbers are not exact any more.
  return (bytes === 0 && Number(text) > 0) || !Number.isSafeInteger(bytes) ? null : bytes;
}
