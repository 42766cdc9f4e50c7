/// Why a receipt deletes nothing. Each has its own words and what to do next.
public enum ReceiptRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// It is no whole receipt of this format: cut short, changed, or of another kind or version.
  case malformed(String)
  /// The key of that name did not sign it, or roles.note grants it no receipts.
  case forged(String)
  /// The key's grant had ended when it was issued.
  case expired(String)
  /// It was signed although its answers permit no deletion, or without acknowledging these.
  case notPermitted([String])
  /// It is for another camera.
  case otherCamera(EvidenceID)
  /// It is for another recording: a counter, an id or an OPEN line that is not this one's.
  case otherRecording(counter: Int64, id: EvidenceID)
  /// The recording has gone on since: the journal's last line or a file's size is another.
  case stale(String)
  /// A file is not the one that the dock has a copy of.
  case changed(String)
  /// A file that the dock has not seen.
  case notCopied(String)
  /// A file that the dock has and that is not here any more: what happened to it is to be looked at first.
  case gone(String)

  public var description: String {
    switch self {
    case .malformed(let rule): "this is no whole receipt (\(rule)); have the dock sign and send it again"
    case .forged(let name):
      "the receipt is not signed by \(name) as a key that roles.note lets sign receipts; nothing is deleted with it: look at "
        + "where it came from"
    case .expired(let name):
      "the receipt was issued after the end of \(name)'s grant in roles.note; renew the grant and have it signed again"
    case .notPermitted(let answers):
      "the dock's answers (\(answers.joined(separator: ", "))) permit no deletion, or it does not acknowledge exactly those "
        + "that must be; look at the recording at the dock"
    case .otherCamera(let id): "the receipt is for camera \(id)"
    case .otherRecording(let counter, let id):
      "the receipt is for recording \(counter)-\(id), or for another OPEN line of it"
    case .stale(let what): "the receipt is older than the recording: \(what); copy and verify it again"
    case .changed(let name):
      "\(name) is not the file that the dock has a copy of; keep the card as it is and have it looked at"
    case .notCopied(let name): "\(name) is not in the receipt: the dock has no copy of it; copy and verify it again"
    case .gone(let name):
      "\(name) is in the receipt and not on the card; keep the card as it is and have it looked at"
    }
  }
}
