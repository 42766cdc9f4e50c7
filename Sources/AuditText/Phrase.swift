import Control
import Evidence
import Media

/// What an entry of the audit log says: words for people; a code and members for tools.
struct Phrase {
  /// `event` of the JSON line.
  var code: String
  /// Short, without control characters.
  var words: String
  var members: [(String, JSONValue)]

  init(_ code: String, _ words: String, _ members: [(String, JSONValue)] = []) {
    self.code = code
    self.words = words
    self.members = members
  }
}

extension JSONValue {
  static func text(_ value: String?) -> JSONValue { .optional(value, JSONValue.string) }
  static func number(_ value: Int64?) -> JSONValue { .optional(value, JSONValue.integer) }
  static func hash(_ value: Hash32?) -> JSONValue { .text(value?.description) }
}

/// Parts of words.
enum Words {
  /// Text from a line or from footage: as it is when it is plain, else between quotation marks, with control characters and
  /// the like escaped as in JSON.
  static func plain(_ text: String) -> String {
    let isPlain =
      !text.isEmpty && text.unicodeScalars.allSatisfy { (0x20...0x7E).contains($0.value) && $0 != "\"" && $0 != "\\" }
    return isPlain ? text : quoted(text)
  }

  /// A sentence of ours, in which names may stand that are not: between quotation marks when it is not safe to print.
  static func sentence(_ text: String) -> String {
    let bare = String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != "\"" && $0 != "\\" }))
    return quoted(bare).utf8.count == bare.utf8.count + 2 ? text : quoted(text)
  }

  static func quoted(_ text: String) -> String { JSONValue.string(text).text }

  /// `button, double`
  static func who(_ source: String?, _ reason: String?) -> String {
    [source, reason].compactMap { $0.map(plain) }.joined(separator: ", ")
  }

  /// The start of a hash, enough to tell two from each other by eye.
  static func short(_ hash: Hash32) -> String { String(hash.description.prefix(10)) }

  static func count(_ number: Int64, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

  /// `88.2 s`, or `1:02:03` from two minutes on. The sign is left out.
  static func duration(milliseconds: Int64) -> String {
    let length = Int64(clamping: milliseconds.magnitude)
    return length < 120_000 ? Units.seconds(milliseconds: length) : Units.clock(milliseconds: length)
  }

  /// A place in the footage.
  static func position(microseconds: Int64) -> String { Units.clock(milliseconds: microseconds / 1_000) }

  static func device(_ track: TrackID) -> String {
    switch track {
    case .video: "camera"
    case .audio: "microphone"
    default: "device of track \(track.rawValue)"
    }
  }

  static func media(_ track: TrackID) -> String {
    switch track {
    case .video: "picture"
    case .audio: "sound"
    default: "track \(track.rawValue)"
    }
  }
}
