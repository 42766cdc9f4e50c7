/// How far a journal's lines are valid, found in one reading from its start.
///
/// A chain is vouched for by the signature of its last line, so that one Ed25519 verification does for the whole journal; only
/// when that one is not valid each line's is looked at. Memory: one line, and what the caller gathers.
struct ValidLines {
  private(set) var prefix = JournalPrefix()
  /// The last valid line is CLOSE.
  private(set) var isClosed = false
  /// Offset behind the last valid line.
  private(set) var end: Int64 = 0

  /// Reads the valid lines among the first `limit` bytes.
  /// - Parameters:
  ///   - empty: what is gathered, as it is before the first line. Lines that nobody vouches for in the end are taken, too; then
  ///     it is begun with anew.
  ///   - take: called with each line in order, and with whom the journal is of.
  static func read<Gathered>(
    _ files: borrowing some EvidenceFiles, limit: Int64, gathering empty: Gathered,
    _ take: (inout Gathered, JournalLine, JournalPrefix) -> Void
  ) throws(ReadFailure) -> (lines: ValidLines, gathered: Gathered) {
    var lines = ValidLines()
    var gathered = empty
    if try !lines.read(files, limit: limit, checksEach: false, { take(&gathered, $0, $1) }) {
      lines = ValidLines()
      gathered = empty
      _ = try lines.read(files, limit: limit, checksEach: true, { take(&gathered, $0, $1) })
    }
    return (lines, gathered)
  }

  /// Returns false when only a look at each signature can tell which lines are valid.
  private mutating func read(
    _ files: borrowing some EvidenceFiles, limit: Int64, checksEach: Bool, _ take: (JournalLine, JournalPrefix) -> Void
  ) throws(ReadFailure) -> Bool {
    var reader = LineReader(EvidenceName.journal)
    // One line is held back: it counts when the next one follows it, or its own signature is valid.
    var held: (line: JournalLine, end: Int64)?
    var taken: JournalLine?
    while let raw = try reader.next(from: files) {
      let rawEnd = raw.offset + Int64(raw.bytes.count)
      guard rawEnd <= limit, held?.line.type != "CLOSE" else { break }
      if checksEach {
        guard !isClosed, let line = prefix.accept(raw.bytes) else { break }
        count(line, end: rawEnd, take)
        continue
      }
      var next = prefix
      guard let line = next.follow(raw.bytes) else { break }
      if let held {
        count(held.line, end: held.end, take)
        taken = held.line
      }
      next.advance(to: line)
      prefix = next
      held = (line, rawEnd)
    }
    guard let held else { return true }
    if prefix.isSigned(held.line) {
      count(held.line, end: held.end, take)
      return true
    }
    guard let taken, prefix.isSigned(taken) else { return false }
    prefix.stepBack(to: taken)
    return true
  }

  private mutating func count(_ line: JournalLine, end: Int64, _ take: (JournalLine, JournalPrefix) -> Void) {
    self.end = end
    isClosed = line.type == "CLOSE"
    take(line, prefix)
  }
}
