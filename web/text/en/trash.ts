export const trash = {
  title: "Recently deleted",
  hint: "What you delete stays here for 7 days. Then it is removed for good.",
  none: "There is nothing to restore.",
  restore: "Restore",
  restoreOne: (title: string) => `Restore ${title}`,
  /** `when`: "in 3 days". */
  removed: (when: string) => `Gone ${when}`,
  purgeOne: (title: string) => `Delete ${title} for good`,
  purged: "The conversation is deleted for good.",
  restored: "The conversation is back in the list.",
  open: "Open",
};
