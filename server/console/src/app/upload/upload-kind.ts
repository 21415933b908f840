// SPDX-License-Identifier: Apache-2.0
/** What the chooser of the upload dialog offers: pictures, or images exported as JSON. */
export type UploadKind = 'image' | 'json';
