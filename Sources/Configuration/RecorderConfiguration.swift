public import Core
public import Media

/// Every setting of the recorder, typed, in effect: the defaults here are the built-in layer.
///
/// What a setting is called in TOML, its unit and its allowed values stand in `ConfigurationSchema`; a value that came
/// through `LoadedConfiguration.load(_:)` is within them. The defaults run on the embedded synthetic devices.
public struct RecorderConfiguration: Hashable, Sendable {
  public var store = Store()
  public var identity = Identity()
  public var camera = Camera()
  public var microphone = Microphone()
  public var video = Video()
  public var audio = Audio()
  public var recording = Recording()
  public var buttons = Buttons()
  public var mute = MuteRules()
  public var radio = Radio()
  public var indicators = Indicators()
  public var signs = Signs()
  public var power = Power()
  public var memory = Memory()
  public var control = Control()
  public var log = Log()
  public var realtime = Realtime()

  /// The built-in layer.
  public init() {}

  /// Where recordings go: the evidence card.
  public struct Store: Hashable, Sendable {
    public var path = "/var/lib/lapel/store"
    /// Allows file systems other than those whose flush was tested (ext4, f2fs).
    public var isLabStore = false
    /// Bytes always kept free, so that a recording can be closed on a full card.
    public var reserveBytes = 64 << 20
  }

  /// Where the device key and the internal store are; never on the evidence card.
  public struct Identity: Hashable, Sendable {
    public var path = "/var/lib/lapel/identity"
  }

  public struct Camera: Hashable, Sendable {
    public enum Source: String, CaseIterable, Hashable, Sendable {
      case synthetic, v4l2, file
    }
    /// How pixels arrive; `auto` takes the first of the others that the camera offers and that can be encoded.
    public enum Format: String, CaseIterable, Hashable, Sendable {
      case auto, yuyv, nv12, yu12, mjpeg, h264
    }
    public var source = Source.synthetic
    /// A V4L2 node such as `/dev/video0`, or the path of a clip; empty for the synthetic camera.
    public var device = ""
    /// Pixels, even.
    public var width = 1280
    public var height = 720
    public var framesPerSecond = 30
    public var format = Format.auto
    /// The driver's controls as they are written in a file; see `CameraControlList`.
    public var controls = ""
    /// Degrees clockwise that a player turns the picture: 0, 90, 180 or 270.
    public var rotation = 0
  }

  public struct Microphone: Hashable, Sendable {
    public enum Source: String, CaseIterable, Hashable, Sendable {
      case synthetic, alsa, none
    }
    public var source = Source.synthetic
    /// An ALSA name such as `default` or `hw:1,0`.
    public var device = "default"
    /// 1 or 2.
    public var channels = 1
  }

  public struct Video: Hashable, Sendable {
    /// How pictures become packets: by our encoder, or as the camera compressed them.
    public enum Path: String, CaseIterable, Hashable, Sendable {
      case encode, passthrough
    }
    public enum Encoder: String, CaseIterable, Hashable, Sendable {
      case x264, openh264, v4l2
    }
    /// libx264's presets that a small machine can hold, fastest first.
    public enum Preset: String, CaseIterable, Hashable, Sendable {
      case ultrafast, superfast, veryfast, faster
    }
    public var path = Path.encode
    /// What a camera that passes through never exceeds; zero: it is measured at the start, and a quarter more reckoned with.
    public var passThroughPeakBitsPerSecond = 0
    public var encoder = Encoder.x264
    /// Which hardware encoder: a path or a name that fits one alone; empty: the first that there is.
    public var encoderDevice = ""
    public var preset = Preset.superfast
    public var bitsPerSecond = 2_000_000
    /// The encoder's VBV limit over one GOP; the ring is sized by it.
    public var peakBitsPerSecond = 2_500_000
    /// Longest time from one keyframe to the next.
    public var groupOfPictures = Nanoseconds.milliseconds(1_000)
    public var threads = 1
  }

  public struct Audio: Hashable, Sendable {
    public var bitsPerSecond = 32_000
    /// Added to every sound's time; corrects what no timestamp shows.
    public var offset = Nanoseconds.zero
  }

  public struct Recording: Hashable, Sendable {
    public var preEvent = Nanoseconds.seconds(30)
    public var hasPreEventAudio = false
    public var postEvent = Nanoseconds.zero
    /// A stop so soon after the trigger says that it was a false one; zero: none does.
    public var cancelWindow = Nanoseconds.zero
    public var segment = Nanoseconds.seconds(60)
    public var checkpoint = Nanoseconds.milliseconds(750)
    /// Longest time from a gesture's first edge to its recognition.
    public var edgeToDecision = Nanoseconds.seconds(5)
    /// Ready is shown when two seconds were recorded and verified.
    public var checksAtStart = true
    /// How long the card may stand still before a frame is lost.
    public var stallReserve = Nanoseconds.seconds(10)
  }

  /// The record button, and what its gestures mean.
  public struct Buttons: Hashable, Sendable {
    /// A gesture, or that there is none.
    public enum OptionalGesture: String, CaseIterable, Hashable, Sendable {
      case none, press, double, hold

      /// Nil for `none`.
      public var gesture: Gesture? { Gesture(rawValue: rawValue) }
    }
    /// `gpio:CHIP:LINE` or `key:DEVICE:KEY`; empty: there is no button.
    public var record = ""
    /// The line is low while the button is pressed.
    public var recordIsActiveLow = true
    /// The chip is asked to pull the line to where it rests.
    public var recordSetsPull = true
    /// A second button, wired as the first; it mutes.
    public var second = ""
    /// The second button's gesture that mutes, and unmutes again.
    public var mute = Gesture.hold
    public var start = Gesture.doublePress
    public var stop = Gesture.hold
    public var mark = OptionalGesture.press
    public var times = GestureTimes()

    /// What the gestures mean; nil where one has two meanings.
    public var table: ButtonTable? { ButtonTable(start: start, stop: stop, mark: mark.gesture) }
  }

  /// Whether and how sound may be left out of a recording.
  public struct MuteRules: Hashable, Sendable {
    public var isAllowed = false
    /// It ends by itself after that; zero: it does not.
    public var longest = Nanoseconds.zero
    /// From one reminder to the next; zero: none.
    public var reminder = Nanoseconds.seconds(30)
  }

  /// Signals by Bluetooth LE that start and mark.
  public struct Radio: Hashable, Sendable {
    /// How the adapter is used.
    public enum Mode: String, CaseIterable, Hashable, Sendable {
      case exclusive, shared
    }
    /// `hci0`, or `any` for the first one; empty: there is none.
    public var adapter = ""
    public var mode = Mode.exclusive
    /// The file of the groups' keys and emitters; empty: none.
    public var groups = "/var/lib/lapel/identity/radio.groups"
    /// The company id in their advertisements; 65535 is the one for tests.
    public var company = 0xFFFF
    /// Plain rules; empty: none.
    public var unauthenticated = ""
  }

  /// Where lights, tone and vibration are: `gpio:CHIP:LINE`, `led:NAME`, `pwm:CHIP:CHANNEL` or `alsa:DEVICE`; empty: there
  /// is none.
  public struct Indicators: Hashable, Sendable {
    private var places: [SignOutput: String] = [:]
    /// GPIO lines are low while the output is on.
    public var isActiveLow = false
    /// Pitch of a tone that a PWM channel or a sound card makes, Hz.
    public var toneHertz = 2_700
    /// How loud a sound card makes it, percent of full scale.
    public var tonePercent = 50
    /// From one reminder to the next while recording; zero: none.
    public var reminder = Nanoseconds.seconds(120)
    /// Low storage is shown below so many minutes of footage.
    public var lowStorageMinutes = 15

    public subscript(output: SignOutput) -> String {
      get { places[output] ?? "" }
      set { places[output] = newValue.isEmpty ? nil : newValue }
    }

    /// Those that there are.
    public var outputs: SignLevels { SignLevels(places.keys.map { SignLevels($0) }) }
  }

  /// What each sign and cue does with them, in its text form.
  public struct Signs: Hashable, Sendable {
    private var signs: [Sign: String] = [:]
    private var cues: [Cue: String] = [:]
    private static let defaults = SignTable()

    public subscript(sign: Sign) -> String {
      get { signs[sign] ?? Self.defaults[sign].description }
      set { signs[sign] = newValue == Self.defaults[sign].description ? nil : newValue }
    }

    public subscript(cue: Cue) -> String {
      get { cues[cue] ?? Self.defaults[cue].description }
      set { cues[cue] = newValue == Self.defaults[cue].description ? nil : newValue }
    }

    /// The keys in `[signs]` that are not as they were built in.
    public var changed: [String] {
      signs.keys.map(\.rawValue).sorted() + cues.keys.map { "cue_\($0.rawValue)" }.sorted()
    }

    /// The table that they make, and what is wrong with each: the name of its key in `[signs]`, and why.
    public var table: (table: SignTable, problems: [(key: String, text: String)]) {
      var table = SignTable()
      var problems: [(key: String, text: String)] = []
      for (sign, text) in signs.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
        do throws(SignTextError) { try table.set(sign, to: text) } catch {
          problems.append((sign.rawValue, "\(error)"))
        }
      }
      for (cue, text) in cues.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
        do throws(SignTextError) { try table.set(cue, to: text) } catch {
          problems.append(("cue_\(cue.rawValue)", "\(error)"))
        }
      }
      return (table, problems)
    }
  }

  /// The supply: its battery, and the board's warning that it fails.
  public struct Power: Hashable, Sendable {
    /// `auto`: every battery of the machine; `none`; or the name of one in /sys/class/power_supply.
    public var battery = "auto"
    /// At or below it the alarm is given.
    public var lowPercent = 20
    /// At or below it the recording is closed and none begins.
    public var criticalPercent = 5
    /// The alarm is given, too, when the battery says that no more than this is left; zero: that is not asked.
    public var reserve = Nanoseconds.seconds(600)
    /// `gpio:CHIP:LINE`; empty: there is none.
    public var failLine = ""
    /// The line is low while the supply fails.
    public var failIsActiveLow = true
    /// The chip is asked to pull the line to where it rests.
    public var failSetsPull = true
  }

  public struct Memory: Hashable, Sendable {
    public var allowsSwap = false
    /// Largest part of the available memory that the ring may take, in percent.
    public var arenaSharePercent = 40
  }

  public struct Control: Hashable, Sendable {
    public var socket = "/run/lapel/control.sock"
    /// The group that may use the socket beside the recorder's user; empty: the recorder's own group.
    public var group = ""
  }

  public struct Log: Hashable, Sendable {
    /// swift-log's levels by name.
    public enum Level: String, CaseIterable, Hashable, Sendable {
      case trace, debug, info, notice, warning, error, critical
    }
    public var level = Level.info
  }

  public struct Realtime: Hashable, Sendable {
    /// SCHED_FIFO priority of the camera and microphone threads (sched(7)); 0: ordinary scheduling.
    public var priority = 0
  }

  /// The time that the ring must hold at peak bitrate: pre-event, edge to decision, two GOPs and the stall reserve.
  public var ringDuration: Nanoseconds {
    recording.preEvent + recording.edgeToDecision + video.groupOfPictures * 2 + recording.stallReserve
  }
}
