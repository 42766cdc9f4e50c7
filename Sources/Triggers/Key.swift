import CLinux

/// A key of an input device (linux/input-event-codes.h).
struct Key: Hashable, Sendable, CustomStringConvertible {
  /// Its number, 1...KEY_MAX.
  var code: UInt16

  init?(code: Int) {
    guard code >= 1 && code <= Int(KEY_MAX) else { return nil }
    self.code = UInt16(code)
  }

  /// From a name of the table below, or a decimal number.
  init?(_ text: String) {
    if let known = Self.names.first(where: { $0.name == text }) {
      self.init(code: Int(known.code))
      return
    }
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text) else { return nil }
    self.init(code: number)
  }

  /// The name of the table, else the number.
  var description: String { Self.names.first { $0.code == code }?.name ?? "\(code)" }

  static func unknownHint(_ text: String) -> String {
    "\"\(text)\" is no key: a name such as KEY_RECORD, KEY_PAGEDOWN or BTN_0, or a number from 1 to \(KEY_MAX) "
      + "(linux/input-event-codes.h; `evtest` shows what a key sends)."
  }

  /// Those that presenters, remotes, headsets and gpio-keys use. All others go by number.
  static let names: [(name: String, code: CInt)] = [
    ("KEY_RECORD", KEY_RECORD), ("KEY_CAMERA", KEY_CAMERA), ("KEY_CAMERA_FOCUS", KEY_CAMERA_FOCUS),
    ("KEY_PLAY", KEY_PLAY), ("KEY_PAUSE", KEY_PAUSE), ("KEY_STOP", KEY_STOP), ("KEY_PLAYPAUSE", KEY_PLAYPAUSE),
    ("KEY_PLAYCD", KEY_PLAYCD), ("KEY_PAUSECD", KEY_PAUSECD), ("KEY_STOPCD", KEY_STOPCD),
    ("KEY_NEXTSONG", KEY_NEXTSONG), ("KEY_PREVIOUSSONG", KEY_PREVIOUSSONG), ("KEY_REWIND", KEY_REWIND),
    ("KEY_FASTFORWARD", KEY_FASTFORWARD), ("KEY_MEDIA", KEY_MEDIA), ("KEY_VOICECOMMAND", KEY_VOICECOMMAND),
    ("KEY_VOLUMEUP", KEY_VOLUMEUP), ("KEY_VOLUMEDOWN", KEY_VOLUMEDOWN), ("KEY_MUTE", KEY_MUTE),
    ("KEY_MICMUTE", KEY_MICMUTE), ("KEY_PAGEUP", KEY_PAGEUP), ("KEY_PAGEDOWN", KEY_PAGEDOWN), ("KEY_HOME", KEY_HOME),
    ("KEY_END", KEY_END), ("KEY_UP", KEY_UP), ("KEY_DOWN", KEY_DOWN), ("KEY_LEFT", KEY_LEFT), ("KEY_RIGHT", KEY_RIGHT),
    ("KEY_ENTER", KEY_ENTER), ("KEY_SPACE", KEY_SPACE), ("KEY_TAB", KEY_TAB), ("KEY_ESC", KEY_ESC), ("KEY_B", KEY_B),
    ("KEY_DOT", KEY_DOT), ("KEY_F5", KEY_F5), ("KEY_OK", KEY_OK), ("KEY_SELECT", KEY_SELECT), ("KEY_MENU", KEY_MENU),
    ("KEY_BACK", KEY_BACK), ("KEY_INFO", KEY_INFO), ("KEY_POWER", KEY_POWER), ("KEY_SLEEP", KEY_SLEEP),
    ("KEY_WAKEUP", KEY_WAKEUP), ("KEY_PROG1", KEY_PROG1), ("KEY_PROG2", KEY_PROG2), ("KEY_PROG3", KEY_PROG3),
    ("KEY_PROG4", KEY_PROG4), ("KEY_RED", KEY_RED), ("KEY_GREEN", KEY_GREEN), ("KEY_YELLOW", KEY_YELLOW),
    ("KEY_BLUE", KEY_BLUE), ("BTN_0", BTN_0), ("BTN_1", BTN_1), ("BTN_2", BTN_2), ("BTN_3", BTN_3),
    ("BTN_LEFT", BTN_LEFT), ("BTN_RIGHT", BTN_RIGHT), ("BTN_MIDDLE", BTN_MIDDLE),
  ]
}

/// A bit for each key, as EVIOCGBIT and EVIOCGKEY give them.
struct KeySet: Hashable, Sendable {
  /// KEY_CNT bits, the lowest first. The kernel writes them as unsigned longs; on a big-endian machine the bytes of each
  /// stand the other way round, and no such machine runs this.
  var bytes = [UInt8](repeating: 0, count: Int(KEY_CNT) / 8)

  func contains(_ key: Key) -> Bool { bytes[Int(key.code) / 8] & (1 << (key.code % 8)) != 0 }

  mutating func insert(_ key: Key) { bytes[Int(key.code) / 8] |= 1 << (key.code % 8) }

  /// In the order of their numbers.
  var keys: [Key] { (1...Int(KEY_MAX)).compactMap { Key(code: $0) }.filter { contains($0) } }
}
