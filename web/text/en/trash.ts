export const trash = {
  title: "Recently deleted",
  hint: "What you delete stays here for 7 days. Then it is removed for good.",
  none: "Nothing was deleted in the last 7 days.",
  restore: "Restore",
  restoreOne: (title: string) => `Restore ${title}`,
  /** `when`: "in 3 days". */
  removed: (when: string) => `Removed ${when}`,
  restored: "The conversation is back in the list.",
  open: "Open",
};
