/// Why nothing can be recorded, or why a recording ended by itself. Raw values are stored and shown.
public enum RecorderFault: String, Hashable, Sendable, CaseIterable {
  /// Neither camera nor microphone delivers.
  case noCapture = "no_capture"
  /// The card has no room beyond what a clean close needs.
  case storeFull = "store_full"
  /// The card cannot be written.
  case storeFailed = "store_failed"
  /// What was recorded to try everything out did not verify. A trigger is recorded all the same, as well as it goes.
  case checkFailed = "check_failed"
  /// What the battery holds is for closing what was recorded.
  case batteryCritical = "battery_critical"
}
