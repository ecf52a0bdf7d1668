/** Room for one push, held from its `hello` to its end, so that pushes to several databases of an organisation cannot pass its quota together. */
export interface StorageQuota {
  /**
   * @param bytes what the database will take: page size times pages, as the peer has announced it
   * @returns gives the room back: called once when the push has ended, committed or not
   * @throws `QUOTA_EXCEEDED`, naming the quota that is too small
   */
  reserve(orgId: string, databaseId: string, bytes: number): Promise<() => void>;
}
